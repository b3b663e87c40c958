"""Trunks of autoft's own small networks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from torch import nn

from autoft.api import ModelCard, TrialFailed
from autoft_torch import _resnet, _weights


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return _resnet.build(str(card.extra["architecture"])), ()


def load(trunk: nn.Module, card: ModelCard, path: Path) -> None:
    """Fill in the bundled weights.

    Raises:
        TrialFailed: the file is not the one that was shipped, or does not fit.
    """
    wanted = card.extra.get("sha256")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if wanted and found != wanted:
        raise TrialFailed(
            f"the weights of {card.name} must have the SHA-256 {wanted}, but those at {path} have {found}.",
            "The file was changed or damaged: install autoft-torch again.",
        )
    _weights.put(trunk, _weights.read(path), (), str(path), strict=True)
