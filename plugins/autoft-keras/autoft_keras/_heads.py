"""New heads on the features of a trunk: one for each output, for whole samples or for each frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from autoft.api import Output, Recipe

Tensor = Any
FEATURES = "features"
"""Layer that holds what the trunk gives for each frame."""
CERTAIN = 1e4
"""Raw output of what is certain, beside its negative."""


def on(features: Tensor, outputs: Sequence[Output], recipe: Recipe) -> dict[str, Tensor]:
    """Raw outputs (n, size) of pooled features (n, width), or (n, frames, size) of features (n, frames, width).

    Behind the end of a recording, where features are NaN, the first class is certain: a blank says nothing, so neither
    losses nor readers of these rows need to know lengths.
    """
    if len(features.shape) == 2:
        return {output.name: head(features, output, recipe) for output in outputs}
    features = keras.layers.Identity(name=FEATURES, dtype="float32")(features)
    ended = ops.any(ops.isnan(features), axis=-1, keepdims=True)
    known = ops.where(ended, 0.0, features)
    return {output.name: ops.where(ended, _blank(output.size), head(known, output, recipe)) for output in outputs}


def features(model: keras.Model, heads: Sequence[keras.layers.Layer]) -> Tensor:
    """What the heads of such a model are made of."""
    layers = {layer.name: layer for layer in model.layers}
    return layers[FEATURES].output if FEATURES in layers else heads[0].input


def _blank(size: int) -> np.ndarray[Any, np.dtype[Any]]:
    """A row that is sure of the first class."""
    row = np.full((size,), -CERTAIN, np.float32)
    row[0] = CERTAIN
    return row


def head(features: Tensor, output: Output, recipe: Recipe) -> Tensor:
    """A linear layer, or a hidden layer before it; dropout stands before the last layer."""
    name = f"heads.{output.name}"
    if recipe.head_width:
        start = keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
        shape = {"activation": recipe.head_activation, "kernel_initializer": start, "dtype": "float32"}
        features = keras.layers.Dense(recipe.head_width, name=f"{name}.hidden", **shape)(features)
    features = keras.layers.Dropout(recipe.dropout, name=f"{name}.dropout", dtype="float32")(features)
    starts = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.01)}
    if output.head == "sequence":  # small weights would keep CTC on its plateau of blanks for long
        reach = 1 / math.sqrt(features.shape[-1])
        starts = {
            f"{kind}_initializer": keras.initializers.RandomUniform(-reach, reach) for kind in ("kernel", "bias")
        }
    return keras.layers.Dense(output.size, name=f"{name}.last", dtype="float32", **starts)(features)
