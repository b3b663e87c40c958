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
    """Raw outputs (n, size) of pooled features (n, width), or (n, frames, size) of features (n, frames, width), which
    are pooled first where heads are for the whole sample.

    Outside of what was said, where features are NaN, the first class is certain: a blank says nothing, so neither
    losses nor readers of these rows need to know lengths.
    """
    if len(features.shape) == 2:
        return {output.name: head(features, output, recipe) for output in outputs}
    features = keras.layers.Identity(name=FEATURES, dtype="float32")(features)
    if all(output.head == "pooled" for output in outputs):
        pooled = POOLINGS[recipe.pooling](features)
        return {output.name: head(pooled, output, recipe) for output in outputs}
    ended = ops.any(ops.isnan(features), axis=-1, keepdims=True)
    known = ops.where(ended, 0.0, features)
    return {output.name: ops.where(ended, _blank(output.size), head(known, output, recipe)) for output in outputs}


def _mean(features: Tensor) -> Tensor:
    there = ops.cast(_there(features), "float32")
    total = ops.sum(ops.where(_there(features), features, 0.0), axis=1)
    return total / ops.maximum(ops.sum(there, axis=1), 1.0)


def _largest(features: Tensor) -> Tensor:
    return ops.max(ops.where(_there(features), features, -np.inf), axis=1)


def _first(features: Tensor) -> Tensor:
    return ops.take(features, 0, axis=1)


def _last(features: Tensor) -> Tensor:
    """The one at which most have been counted, and which is there itself."""
    there = ops.cast(_there(features), "int32")
    counted = ops.cumsum(there, axis=1)
    last = ops.logical_and(there == 1, ops.equal(counted, ops.max(counted, axis=1, keepdims=True)))
    return ops.sum(ops.where(last, features, 0.0), axis=1)


def _there(features: Tensor) -> Tensor:
    """bool (n, length, 1): where features are."""
    return ops.all(ops.isfinite(features), axis=-1, keepdims=True)


POOLINGS = {"auto": _first, "first": _first, "last": _last, "mean": _mean, "max": _largest}
"""Word of the recipe -> (n, length, width) to (n, width), of what is not NaN. Encoders put a token first that stands
for the whole."""


def features(model: keras.Model, heads: Sequence[keras.layers.Layer]) -> Tensor:
    """What the heads of such a model are made of."""
    layers = {layer.name: layer for layer in model.layers}
    return layers[FEATURES].output if FEATURES in layers else heads[0].input


def pooled(heads: Sequence[keras.layers.Layer]) -> Tensor | None:
    """What heads for whole samples stand on, (n, width); None where there are none."""
    found = heads[0].input
    return found if len(found.shape) == 2 else None


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
        starts = {f"{kind}_initializer": keras.initializers.RandomUniform(-reach, reach) for kind in ("kernel", "bias")}
    return keras.layers.Dense(output.size, name=f"{name}.last", dtype="float32", **starts)(features)
