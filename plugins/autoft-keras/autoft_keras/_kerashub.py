"""Trunks of KerasHub's image backbones, and what its segmenters and detectors share."""

from __future__ import annotations

import copy
from pathlib import Path

import keras
import keras_hub  # noqa: F401 - registers its classes with Keras

from autoft.api import ModelCard
from autoft_keras import _weights, caches
from autoft_keras.folders import refuse_code

STEP = 32
"""Networks with a decoder add maps of strides up to this one to finer ones, so it must divide the size."""


def build(card: ModelCard, size: int) -> keras.Model:
    config = copy.deepcopy(dict(card.extra["config"]))  # Keras empties what it reads
    refuse_code(config, Path(card.name), keras_hub=True)
    if not card.fixed_size and "image_shape" in config["config"]:
        config["config"]["image_shape"] = [size, size, 3]
    return keras.saving.deserialize_keras_object(config, safe_mode=True)


def load(network: keras.Model, card: ModelCard, path: Path) -> None:
    _weights.put(network, path / caches.WEIGHTS if path.is_dir() else path, card.name)


def trunk(network: keras.Model, card: ModelCard) -> keras.Model:
    """The backbone with its feature map, or its tokens, brought to one vector."""
    features = network.output
    if isinstance(features, dict):  # maps by their stage, the finest first
        features = list(features.values())[-1]
    if len(features.shape) == 4:
        pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    elif getattr(network, "use_class_token", False):
        pooled = features[:, 0]
    else:
        pooled = keras.layers.GlobalAveragePooling1D(name="pool")(features)
    return keras.Model(network.input, pooled, name=network.name)


def even(size: int) -> None:
    """
    Raises:
        ValueError: such networks do not take images of this size.
    """
    if size % STEP:
        raise ValueError(f"a network with a decoder takes multiples of {STEP}.")


def encoder(trunk: keras.Model) -> keras.Model:
    """The image encoder in a segmenter or detector: the one layer of it that is a network itself, not a mere chain."""
    (found,) = (x for x in trunk.layers if isinstance(x, keras.Model) and not isinstance(x, keras.Sequential))
    return found
