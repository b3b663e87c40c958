"""Trunks of autoft's own small networks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import keras
from safetensors.numpy import load_file

from autoft.api import ModelCard, TrialFailed
from autoft_keras import _resnet


def build(card: ModelCard, size: int) -> keras.Model:
    return _resnet.build(str(card.extra["architecture"]), size)


def load(trunk: keras.Model, card: ModelCard, path: Path) -> None:
    """Fill in the bundled weights.

    Raises:
        TrialFailed: the file is not the one that was shipped, or does not fit.
    """
    wanted = card.extra.get("sha256")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if wanted and found != wanted:
        raise TrialFailed(
            f"the weights of {card.name} must have the SHA-256 {wanted}, but those at {path} have {found}.",
            "The file was changed or damaged: install autoft-keras again.",
        )
    _resnet.fill(trunk, load_file(path), str(path))
