"""What a trunk gives at several strides, for dense heads: read off the graph that Keras keeps of a functional model.

Of each stride it is the last tensor through which every path from the images to the features leads. The layers stay the
same objects: only the outputs differ.
"""

from __future__ import annotations

import math
from typing import Any

import keras

from autoft.api import TrialFailed
from autoft_keras._cuts import places

Symbol = Any

FINEST, COARSEST = 2, 5
"""Strides 4 to 32, as powers of 2."""


def model(trunk: keras.Model) -> keras.Model:
    """Images to a list of maps (n, height, width, channels), the finest first.

    Raises:
        TrialFailed: the trunk has no maps at these strides.
    """
    images = trunk.inputs[0]
    found: dict[int, Symbol] = {}
    for tensor in places(trunk):
        if len(tensor.shape) != 4 or None in tensor.shape[1:] or tensor.shape[1] != tensor.shape[2]:
            continue
        power = round(math.log2(images.shape[1] / tensor.shape[1]))
        padded = isinstance(tensor._keras_history.operation, keras.layers.ZeroPadding2D)
        if FINEST <= power <= COARSEST and not padded:
            found[power] = tensor
    if not found:
        raise TrialFailed(f"dense outputs need maps at strides 4 to 32, but {trunk.name} gives none.")
    return keras.Model(images, [found[power] for power in sorted(found)], name=trunk.name)
