"""Trunks of timm."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

import timm
from torch import nn

from autoft.api import ModelCard, TrialFailed
from autoft_torch import _weights


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    arguments = dict(card.extra.get("arguments", {}))
    if card.extra.get("sized"):  # position embeddings are made for one size
        arguments["img_size"] = size
    trunk = timm.create_model(str(card.extra["architecture"]), pretrained=False, num_classes=0, **arguments)
    return trunk, _head(trunk)


def load(trunk: nn.Module, card: ModelCard, path: Path) -> None:
    """Weights as timm itself would adapt them (position embeddings resized, older layouts renamed)."""
    state = _weights.read(path)
    adapt = getattr(sys.modules[type(trunk).__module__], "checkpoint_filter_fn", None)
    if adapt:
        try:
            state = _weights.strip(adapt(state, trunk))
        except (KeyError, RuntimeError, ValueError) as error:
            raise TrialFailed(
                f"the weights at {path} do not fit {card.name}: {type(error).__name__}: {error}"
            ) from error
    _weights.put(trunk, state, _head(trunk), str(path), strict=bool(card.extra.get("strict")))


def _head(trunk: nn.Module) -> tuple[str, ...]:
    named = getattr(trunk, "pretrained_cfg", {}).get("classifier") or ("fc", "head", "classifier")
    return tuple(f"{name}." for name in ([named] if isinstance(named, str) else named))
