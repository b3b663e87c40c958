"""The operations of TrivialAugment and RandAugment, as torchvision has them, each image with its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

Tensor = Any
Row = tuple[Tensor, Tensor, Tensor]

NAMES = (
    *("identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate"),
    *("brightness", "colour", "contrast", "sharpness"),
    *("posterize", "solarize", "autocontrast", "equalize"),
)
#: Grey as television and torchvision weigh it.
GREY = (0.299, 0.587, 0.114)
#: By which sharpness blurs: 13ths.
SMOOTH = ((1, 1, 1), (1, 5, 1), (1, 1, 1))
BINS = 31


@dataclass(frozen=True)
class Space:
    """How far each kind of operation goes at full strength."""

    shear: float
    translate: float
    """In pixels, or in sides of the image if below 1."""
    rotate: float
    """In degrees."""
    blend: float
    bits: int
    """Bits per channel that posterize takes away."""

    @property
    def count(self) -> int:
        return len(NAMES)


WIDE = Space(shear=0.99, translate=32, rotate=135, blend=0.99, bits=6)
STRONG = Space(shear=0.3, translate=150 / 331, rotate=30, blend=0.9, bits=4)


def operate(images: Tensor, kinds: Tensor, bins: Tensor, sign: Tensor, space: Space) -> Tensor:
    """One operation on each image.

    Args:
        images: float32 (n, side, side, 3) in 0..255.
        kinds: which of `NAMES`, int32 (n,).
        bins: strength from 0 to 30, int32 (n,).
        sign: 1 or -1 (n,), for those that go both ways.
    """
    strength = tf.cast(bins, tf.float32) / (BINS - 1)
    ways: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
        "brightness": lambda x, way, _: _blend(x, tf.zeros_like(x), 1 + way * space.blend),
        "colour": lambda x, way, _: _blend(x, _grey(x), 1 + way * space.blend),
        "contrast": lambda x, way, _: _blend(x, tf.reduce_mean(_grey(x), (1, 2), keepdims=True), 1 + way * space.blend),
        "sharpness": lambda x, way, _: _blend(x, _blurred(x), 1 + way * space.blend),
        "posterize": lambda x, _, much: _posterize(tf.round(x), tf.round(much * space.bits)),
        "solarize": lambda x, _, much: _solarize(tf.round(x), much),
        "autocontrast": lambda x, *_: _stretch(tf.round(x)),
        "equalize": lambda x, *_: _equalize(tf.round(x)),
    }
    # Each operation gets its own images alone: all of them on all images would cost more than to train on them.
    owner = tf.constant([[*ways].index(name) + 1 if name in ways else 0 for name in NAMES])
    rows = tf.dynamic_partition(tf.range(tf.shape(images)[0]), tf.gather(owner, kinds), len(ways) + 1)
    parts = [[tf.gather(values, own) for values in (images, strength * sign, strength)] for own in rows]
    moved = _moved(parts[0][0], tf.gather(kinds, rows[0]), parts[0][1], space)
    done = [moved, *(way(*part) for way, part in zip(ways.values(), parts[1:], strict=True))]
    return tf.reshape(tf.dynamic_stitch(rows, done), tf.shape(images))


def warp(images: Tensor, across: Row, down: Row, interpolation: str, fill: str) -> Tensor:
    """Each image through an affine map about its middle, from places in the result to places in the image.

    A place (x, y), counted in pixels from the middle, comes from (a x + b y + c, d x + e y + f), where
    `across` is (a, b, c) and `down` is (d, e, f), each (n,).
    """
    middle = (images.shape[1] - 1) / 2
    rows = [(a, b, c + middle - (a + b) * middle) for a, b, c in (across, down)]
    none = tf.zeros_like(across[0])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([*rows[0], *rows[1], none, none], 1),
        output_shape=tf.constant(images.shape.as_list()[1:3], tf.int32),
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode=fill,
    )


def _is(kinds: Tensor, name: str) -> Tensor:
    return kinds == NAMES.index(name)


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _moved(images: Tensor, kinds: Tensor, strength: Tensor, space: Space) -> Tensor:
    """The operations that move pixels: nearest neighbour, black beyond the border."""

    def only(name: str, value: Tensor, other: float = 0.0) -> Tensor:
        return tf.where(_is(kinds, name), value, other)

    reach = space.translate * images.shape[1] if space.translate < 1 else space.translate
    angle = only("rotate", strength * space.rotate * math.pi / 180)
    shear_x, shear_y = (only(f"shear_{axis}", strength * space.shear) for axis in "xy")
    move_x, move_y = (only(f"translate_{axis}", strength * reach) for axis in "xy")
    cos, sin = tf.cos(angle), tf.sin(angle)
    return warp(images, (cos, shear_x - sin, move_x), (shear_y + sin, cos, move_y), "NEAREST", "CONSTANT")


def _blend(images: Tensor, poorer: Tensor, factor: Tensor) -> Tensor:
    """Between a poorer image (0) and the image (1), or beyond it."""
    return tf.clip_by_value(poorer + _each(factor) * (images - poorer), 0, 255)


def _grey(images: Tensor) -> Tensor:
    return tf.reduce_sum(images * GREY, -1, keepdims=True)


def _blurred(images: Tensor) -> Tensor:
    """But for the border."""
    kernel = tf.tile(tf.constant(SMOOTH, tf.float32)[:, :, None, None] / 13, (1, 1, 3, 1))
    blurred = tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "SAME")
    inside = tf.pad(tf.ones([side - 2 for side in images.shape[1:3]], tf.bool), ((1, 1), (1, 1)))[None, ..., None]
    return tf.where(inside, blurred, images)


def _solarize(images: Tensor, strength: Tensor) -> Tensor:
    """What is bright is turned round."""
    return tf.where(images >= _each(255 * (1 - strength)), 255 - images, images)


def _posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Without the lowest bits."""
    step = _each(2.0**bits)
    return tf.floor(images / step) * step


def _stretch(images: Tensor) -> Tensor:
    """Each channel to the whole range; one of a single value stays."""
    low, high = (reduce(images, (1, 2), keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    return tf.where(high > low, (images - low) * tf.math.divide_no_nan(255.0, high - low), images)


def _equalize(images: Tensor) -> Tensor:
    """Each channel so that all values are about as frequent."""
    _, side, across, channels = images.shape
    values = tf.cast(tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, side * across)), tf.int32)
    counts = tf.math.bincount(values, minlength=256, maxlength=256, axis=-1)
    last = tf.gather(counts, tf.reduce_max(values, -1), batch_dims=1)
    step = (side * across - last) // 255
    table = (tf.cumsum(counts, -1, exclusive=True) + step[:, None] // 2) // tf.maximum(step, 1)[:, None]
    changed = tf.gather(tf.clip_by_value(table, 0, 255), values, batch_dims=1)
    found = tf.where(step[:, None] > 0, changed, values)
    return tf.cast(tf.transpose(tf.reshape(found, (-1, channels, side, across)), (0, 2, 3, 1)), tf.float32)
