"""Features of all levels of a trunk for heads alone: its last ones, then mean, deviation and maximum of each level.

The layers stay the same objects: only the output differs. What joins the features has a name of its own, by which the
last ones are found again in a network that was saved.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from autoft.api import TrialFailed
from autoft_keras import _levels
from autoft_keras._cuts import places

Symbol = Any

JOINED = "levels"
"""Layer that joins the features, the last ones first."""
QUARTERS = 4
"""Levels of a network of tokens."""


def model(trunk: keras.Model) -> keras.Model:
    """Images to the features of all levels (n, width)."""
    return keras.Model(trunk.inputs[0], wide(trunk), name=trunk.name)


def wide(trunk: keras.Model) -> Symbol:
    """The features of all levels of a trunk, whether or not it gives them already; where it shows neither maps nor
    tokens, its last ones alone."""
    levels = [] if _joins(trunk) else _shown(trunk)
    if not levels:
        return trunk.outputs[0]
    parts = [ops.cast(trunk.outputs[0], "float32")]
    for level in levels:
        values, over = ops.cast(level, "float32"), tuple(range(1, len(level.shape) - 1))
        parts += [figure(values, axis=over) for figure in (ops.mean, ops.std, ops.max)]
    return keras.layers.Concatenate(name=JOINED, dtype="float32")(parts)


def plain(trunk: keras.Model) -> keras.Model:
    """The trunk as it gives the last features alone."""
    if not _joins(trunk):
        return trunk
    last = trunk.get_layer(JOINED).input[0]._keras_history.operation.input  # before it was cast
    return keras.Model(trunk.inputs[0], last, name=trunk.name)


def _joins(trunk: keras.Model) -> bool:
    return trunk.layers[-1].name == JOINED


def _shown(trunk: keras.Model) -> list[Symbol]:
    """Maps, the finest first; of a network of tokens those of some places, evenly."""
    try:
        return list(_levels.model(trunk).outputs)
    except TrialFailed:
        given = [tensor for tensor in places(trunk) if len(tensor.shape) == 3 and None not in tensor.shape[1:]]
        chosen = {len(given) * quarter // QUARTERS - 1 for quarter in range(1, QUARTERS + 1)}
        return [given[place] for place in sorted(chosen) if place >= 0]
