"""Dense heads: the levels of a trunk joined at stride 4 (Lin et al., 2017, feature pyramids), then a map per output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from autoft.api import Output, Recipe

Tensor = Any

WIDTH = 48
"""Channels at stride 4. Wider ones cost more than most small trunks."""
GROUPS = 8
"""Groups of channels of a level that are brought to one mean and deviation each (Wu & He, 2018), before levels are
added: levels differ in size, and small ones would say little for long. Unlike batch normalisation it is the same in
evaluation, and for batches of 4, which small data need."""
PRIOR = 0.05
"""What a sigmoid over a heat map says before training: most places are empty (RetinaNet's prior)."""
SPARSE = ("focal", "heatmap")
CLASSED = ("cross_entropy", "dice", "ce_dice")
"""Losses of maps of classes. Their last layer starts at its usual size: from 0.01, as detectors start, most of a short
training went by until any class but the largest was predicted."""
STRIDE = 4
EPSILON = 1e-5


def side_of(size: int) -> int:
    """Side of dense maps for an image of this side."""
    return math.ceil(size / STRIDE)


def neck(levels: Sequence[Tensor], side: int) -> Tensor:
    """Levels (finest first) to one map (n, side, side, WIDTH): coarse ones are enlarged and added, step by step."""
    joined = None
    for number, level in reversed(list(enumerate(levels))):
        start = uniform()  # an object of its own
        here = keras.layers.Conv2D(
            WIDTH, 1, use_bias=False, kernel_initializer=start, name=f"neck.{number}", dtype="float32"
        )(level)
        here = keras.layers.GroupNormalization(GROUPS, epsilon=EPSILON, name=f"neck.{number}.norm", dtype="float32")(
            here
        )
        if joined is not None:
            here = keras.layers.Add(name=f"neck.{number}.add", dtype="float32")(
                [here, sized(joined, here.shape[1], f"neck.{number}.size")]
            )
        joined = here
    return sized(joined, side, "neck.size")


def sized(values: Tensor, side: int, name: str) -> Tensor:
    """Maps at this side, bilinear."""
    if values.shape[1] == side:
        return values
    return keras.layers.Resizing(side, side, "bilinear", name=name, dtype="float32")(values)


def uniform() -> keras.initializers.Initializer:
    """A third of the usual variance is what torch starts with."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def head(features: Tensor, output: Output, recipe: Recipe) -> Tensor:
    """A 3x3 convolution and one to the output's channels; `head_width` is the width between them."""
    name = f"heads.{output.name}"
    wide_start, start = uniform(), uniform()  # objects of their own: each draws once
    wide = keras.layers.Conv2D(
        recipe.head_width or WIDTH,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer=wide_start,
        name=f"{name}.wide",
        dtype="float32",
    )(features)
    wide = keras.layers.BatchNormalization(epsilon=EPSILON, momentum=0.9, name=f"{name}.norm", dtype="float32")(wide)
    wide = keras.layers.Activation("relu", name=f"{name}.relu", dtype="float32")(wide)
    return last(wide, output, recipe, start)


def last(wide: Tensor, output: Output, recipe: Recipe, start: keras.initializers.Initializer) -> Tensor:
    """Dropout, and a convolution to the output's channels."""
    name = f"heads.{output.name}"
    wide = keras.layers.SpatialDropout2D(recipe.dropout, name=f"{name}.dropout", dtype="float32")(wide)
    bias = math.log(PRIOR / (1 - PRIOR)) if output.loss in SPARSE else 0.0
    return keras.layers.Conv2D(
        output.size,
        1,
        kernel_initializer=start if output.loss in CLASSED else keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        name=f"{name}.last",
        dtype="float32",
    )(wide)
