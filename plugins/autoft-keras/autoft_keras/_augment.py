"""Augmentation of image batches. Policies, by word:

none     images as they are.
light    each image turned by up to 10 degrees, zoomed by 0.85 to 1.1, shifted by up to 6 % of its side, and changed
         a little in brightness, contrast and saturation. No flips: digits, letters and hand signs are another thing
         when mirrored.
trivial  a horizontal flip half of the time, then TrivialAugment (Müller & Hutter, 2021): one random operation of
         random strength.
strong   a random crop of 40 to 100 % of the area, a horizontal flip half of the time, RandAugment (Cubuk et al.,
         2020) of two operations, and a random patch erased a quarter of the time.

Every image draws for itself, yet all is computed for the whole batch at once, in one compiled graph. Operations and
their ranges are those of torchvision, which Keras' own layers do not have. Draws follow from the seed alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from autoft.api import LIGHT
from autoft_keras._operations import STRONG, WIDE, operate, warp

Tensor = Any
Policy = Callable[[Tensor, Tensor], Tensor]
Change = Callable[[Tensor, Any], Tensor]
#: Numbers that a policy draws for an image, at most.
DRAWS = 16

#: Of the crop: its share of the area, and of its sides.
CROP, ASPECT = (0.4, 1.0), (3 / 4, 4 / 3)
#: Of the erased patch: how often, its share of the area, and of its sides.
OFTEN, PATCH, SIDES = 0.25, (0.02, 0.33), (0.3, 3.3)


@functools.cache
def policy(word: str, size: int) -> Policy:
    """A function from uint8 images (n, h, w, 3) and a seed (int32, 2) to images in 0..255, uint8 or float32.

    Compiled once for all learners of the process.
    """
    return compiled(_chosen(word), size, Draws)


@functools.cache
def fixed(word: str, size: int) -> Policy:
    """As `policy`, but with draws in [0, 1) (float32, n, `DRAWS`) in place of a seed: each image has its own, whatever
    its neighbours are."""
    return compiled(_chosen(word), size, Given)


def _chosen(word: str) -> Change | None:
    return None if word == "none" else {"light": light, "trivial": trivial, "strong": strong}[word]


def compiled(chosen: Change | None, size: int, source: type[Draws]) -> Policy:
    """A change of uint8 images (n, size, size, 3) as one graph, which takes what `source` draws from; None leaves them
    as they are."""
    if chosen is None:
        return lambda images, seed: images
    signature = [tf.TensorSpec((None, size, size, 3), tf.uint8), source.spec()]

    @functools.partial(tf.function, input_signature=signature, autograph=False)
    def graph(images: Tensor, seed: Tensor) -> Tensor:
        return chosen(images, source(images, seed))

    done: Policy = graph
    return done


class Draws:
    """Random numbers, one for each image at every call, that follow from a seed."""

    @classmethod
    def spec(cls) -> tf.TensorSpec:
        return tf.TensorSpec((2,), tf.int32)

    def __init__(self, images: Tensor, seed: Tensor) -> None:
        self.count, self.seed, self.calls = tf.shape(images)[0], seed, 0

    def uniform(self, low: float, high: float) -> Tensor:
        self.calls += 1
        key = tf.random.experimental.stateless_fold_in(self.seed, self.calls)
        return tf.random.stateless_uniform([self.count], key, low, high)

    def each(self, values: Tensor) -> Tensor:
        """Numbers in [0, 1), one for each place of `values`."""
        self.calls += 1
        key = tf.random.experimental.stateless_fold_in(self.seed, self.calls)
        return tf.random.stateless_uniform(tf.shape(values), key)

    def whole(self, count: int) -> Tensor:
        """Numbers from 0 to count - 1."""
        return tf.minimum(tf.cast(self.uniform(0, count), tf.int32), count - 1)


class Given(Draws):
    """Random numbers out of a table: one row for each image, one column for each call."""

    @classmethod
    def spec(cls) -> tf.TensorSpec:
        return tf.TensorSpec((None, DRAWS), tf.float32)

    def uniform(self, low: float, high: float) -> Tensor:
        self.calls += 1
        return low + (high - low) * self.seed[:, self.calls - 1]

    def each(self, values: Tensor) -> Tensor:
        """Numbers that look random, from one draw for each image: the digits far behind the point of a sine."""
        places = tf.cast(tf.reshape(tf.range(tf.size(values[0])), tf.shape(values[0])), tf.float32)
        waves = tf.sin(places[None] * 12.9898 + self.uniform(0.0, 6.28)[:, None, None]) * 43758.547
        return waves - tf.floor(waves)


def light(images: Tensor, draws: Draws) -> Tensor:
    """One affine map and one change of colour per image; see the module's docstring."""
    angle = draws.uniform(-LIGHT.turn, LIGHT.turn) * math.pi / 180
    zoom = draws.uniform(*LIGHT.zoom)
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    side = images.shape[1]
    across, down = (draws.uniform(-LIGHT.shift, LIGHT.shift) * side for _ in range(2))
    moved = warp(tf.cast(images, tf.float32), (cos, -sin, across), (sin, cos, down), "BILINEAR", "REFLECT")
    return recolour(moved, *(draws.uniform(1 - LIGHT.colour, 1 + LIGHT.colour)[:, None, None, None] for _ in range(3)))


def recolour(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Images in 0..255 with each of the three changed by a factor per image (n, 1, 1, 1)."""
    grey = tf.reduce_mean(images, -1, keepdims=True)
    images = grey + (images - grey) * saturation
    middle = tf.reduce_mean(grey, (1, 2), keepdims=True)
    return tf.clip_by_value((images - middle) * contrast + middle * brightness, 0, 255)


def trivial(images: Tensor, draws: Draws) -> Tensor:
    mirror = tf.sign(draws.uniform(-1, 1))
    one, none = tf.ones_like(mirror), tf.zeros_like(mirror)
    flipped = warp(tf.cast(images, tf.float32), (mirror, none, none), (none, one, none), "NEAREST", "CONSTANT")
    return operate(flipped, draws.whole(WIDE.count), draws.whole(31), tf.sign(draws.uniform(-1, 1)), WIDE)


def strong(images: Tensor, draws: Draws) -> Tensor:
    images = _crop(tf.cast(images, tf.float32), draws)
    for _ in range(2):
        bins = tf.fill([draws.count], 9)  # of 31, as in torchvision
        images = operate(images, draws.whole(STRONG.count), bins, tf.sign(draws.uniform(-1, 1)), STRONG)
    return _erase(images, draws)


def _sides(draws: Draws, area: tuple[float, float], aspect: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Height and width of a part, as shares of the image's."""
    share, ratio = draws.uniform(*area), tf.exp(draws.uniform(math.log(aspect[0]), math.log(aspect[1])))
    return tf.minimum(tf.sqrt(share / ratio), 1), tf.minimum(tf.sqrt(share * ratio), 1)


def _crop(images: Tensor, draws: Draws) -> Tensor:
    """A part of each image at full size, mirrored half of the time."""
    side = images.shape[1]
    height, width = _sides(draws, CROP, ASPECT)
    down, across = ((draws.uniform(-0.5, 0.5) * (1 - part) * side) for part in (height, width))
    none = tf.zeros_like(height)
    mirrored = tf.sign(draws.uniform(-1, 1)) * width
    return warp(images, (mirrored, none, across), (none, height, down), "BILINEAR", "NEAREST")


def _erase(images: Tensor, draws: Draws) -> Tensor:
    """Black out a patch of some images (Zhong et al., 2020)."""
    side = images.shape[1]
    height, width = _sides(draws, PATCH, SIDES)
    hit = draws.uniform(0, 1) < OFTEN
    inside = hit[:, None, None]
    steps = tf.range(side, dtype=tf.float32)[None] + 0.5
    for part, axis in ((height, 2), (width, 1)):
        start = draws.uniform(0, 1) * (1 - part) * side
        within = (steps >= start[:, None]) & (steps < (start + part * side)[:, None])
        inside &= tf.expand_dims(within, axis)
    return tf.where(inside[..., None], 0.0, images)
