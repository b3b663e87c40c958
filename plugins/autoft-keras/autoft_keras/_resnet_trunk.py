"""Trunks of autoft's own small networks."""

from __future__ import annotations

from pathlib import Path

import keras
from safetensors.numpy import load_file

from autoft.api import ModelCard, check_bundled
from autoft_keras import _resnet


def build(card: ModelCard, size: int) -> keras.Model:
    return _resnet.build(str(card.extra["architecture"]), size)


def load(trunk: keras.Model, card: ModelCard, path: Path) -> None:
    """Fill in the bundled weights.

    Raises:
        TrialFailed: the file is not the one that was shipped, or does not fit.
    """
    check_bundled(card, path, "autoft-keras")
    _resnet.fill(trunk, load_file(path), str(path))
