"""Trunks of autoft's own small networks."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from torch import nn

from autoft.api import ModelCard, check_bundled
from autoft_torch import _resnet, _weights


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return _resnet.build(str(card.extra["architecture"])), ()


def load(trunk: nn.Module, card: ModelCard, path: Path) -> None:
    """Fill in the bundled weights.

    Raises:
        TrialFailed: the file is not the one that was shipped, or does not fit.
    """
    check_bundled(card, path, "autoft-torch")
    _weights.put(trunk, _weights.read(path), (), str(path), strict=True)
