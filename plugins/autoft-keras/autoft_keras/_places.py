"""Augmentation that moves boxes and masks with the image, as far as `autoft.policies` says."""

from __future__ import annotations

import functools
import math
from typing import Any

import tensorflow as tf

from autoft.api import GREY, LEAST_LEFT, MOVES
from autoft.vocab import UNTAUGHT
from autoft_keras._augment import Draws, recolour
from autoft_keras._operations import warp

Tensor = Any
Targets = dict[str, Any]


@functools.cache
def mover(word: str, size: int, hides: bool = False) -> Any:
    """`move` with this policy for images of this side, and `hide` if asked for, compiled for all learners of the
    process: traced for several sides, it would know none of them."""

    def changed(images: Tensor, targets: Targets, seed: Tensor) -> tuple[Tensor, Targets]:
        images, targets = move(word, images, targets, seed)
        return hide(images, targets) if hides else images, targets

    return tf.function(changed, reduce_retracing=True, autograph=False)


def move(word: str, images: Tensor, targets: Targets, seed: Tensor) -> tuple[Tensor, Targets]:
    """Images (n, h, w, 3) in 0..255, and with them the targets that are places: `boxes` (n, m, 4 or more) in fractions,
    and `mask` (n, h, w), int64, -1 where there is no class, which is also what is seen beyond the image's edge."""
    if word not in MOVES:
        return images, targets
    reach, draws = MOVES[word], Draws(images, seed)

    def spread(most: float) -> Tensor:
        """Around 1, as often below as above, on a logarithmic scale."""
        return tf.exp(draws.uniform(-1, 1) * math.log(most))

    zoom, stretch = spread(reach.zoom), tf.sqrt(spread(reach.stretch))
    across, down = 1 / (zoom * stretch), stretch / zoom
    middle = tf.stack([0.5 + reach.shift * draws.uniform(-1, 1) for _ in range(2)], 1)
    mirrored = tf.sign(draws.uniform(-1, 1)) if reach.flip or "boxes" not in targets else tf.ones_like(zoom)
    colours = [(1 + reach.colour * draws.uniform(-1, 1))[:, None, None, None] for _ in range(3)]
    scale = tf.stack([across * mirrored, down], 1)  # of the input, for one of the output
    moved = dict(targets)
    if "boxes" in targets:
        moved["boxes"] = _boxes(targets["boxes"], scale, middle)
    if "mask" in targets:
        # Counted from 0, so that the zeros of what lies outside become -1.
        mask = tf.cast(targets["mask"] + 1, tf.float32)[..., None]
        moved["mask"] = tf.cast(_sampled(mask, scale, middle, "NEAREST")[..., 0], tf.int64) - 1
    shown = _sampled(tf.cast(images, tf.float32) - GREY, scale, middle, "BILINEAR") + GREY
    return recolour(shown, *colours), moved


def _sampled(values: Tensor, scale: Tensor, middle: Tensor, filter_word: str) -> Tensor:
    side, none = values.shape[1], tf.zeros_like(scale[:, 0])
    shift = (middle - 0.5) * side
    return warp(values, (scale[:, 0], none, shift[:, 0]), (none, scale[:, 1], shift[:, 1]), filter_word, "CONSTANT")


def _boxes(boxes: Tensor, scale: Tensor, middle: Tensor) -> Tensor:
    """The same map, the other way round; clipped, -1 where nothing is left, not taught where too little is."""
    ends = [(boxes[..., k : k + 2] - middle[:, None]) / scale[:, None] + 0.5 for k in (0, 2)]
    low, high = tf.minimum(*ends), tf.maximum(*ends)
    inside = tf.clip_by_value(tf.concat([low, high], -1), 0, 1)
    little = _area(inside) < LEAST_LEFT * _area(tf.concat([low, high], -1))
    code = boxes[..., 4:5]
    code = tf.where(little[..., None] & (code >= 0), UNTAUGHT - code, code)
    moved = tf.concat([inside, code, boxes[..., 5:]], -1)
    return tf.where((real(boxes) & real(inside))[..., None], moved, -tf.ones_like(moved))


def real(boxes: Tensor) -> Tensor:
    """Which rows hold a box."""
    return (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])


def hide(images: Tensor, targets: Targets) -> Tensor:
    """Images in 0..255, grey where boxes are not taught, for networks that compare with boxes themselves: what they are
    not told of they learn to miss. What lies in another box as well stays."""
    if "boxes" not in targets:
        return images
    boxes, (height, width) = targets["boxes"], images.shape[1:3]
    unknown = real(boxes) & (boxes[..., 4] < 0)
    hidden = _covered(boxes, unknown, height, width) & ~_covered(boxes, real(boxes) & ~unknown, height, width)
    return tf.where(hidden[..., None], tf.cast(GREY, images.dtype), images)


def _covered(boxes: Tensor, which: Tensor, height: int, width: int) -> Tensor:
    """Whether the middle of a pixel lies in any of those boxes: (n, height, width)."""

    def within(low: Tensor, high: Tensor, count: int) -> Tensor:
        middles = (tf.range(count, dtype=tf.float32) + 0.5) / count
        return tf.cast((middles >= low[..., None]) & (middles < high[..., None]), tf.float32)

    down = within(boxes[..., 1], boxes[..., 3], height) * tf.cast(which, tf.float32)[..., None]
    return tf.einsum("nmy,nmx->nyx", down, within(boxes[..., 0], boxes[..., 2], width)) > 0


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
