"""Makes the trunk of a card: a module from images (n, 3, h, w) to pooled features (n, width), without its old head.

Each library has its own module with `build(card, size)`, which returns the trunk with random weights and the
prefixes of its old head's arrays, and, where its weights need more than copying, `load(trunk, card, path)`.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from autoft.api import ModelCard, TrialFailed
from autoft_torch import _weights, caches
from autoft_torch.backend import TRUNKS


def library(card: ModelCard) -> ModuleType:
    name = str(card.extra.get("library", ""))
    if name not in TRUNKS:
        raise TrialFailed(f"the library of a network must be one of {', '.join(TRUNKS)}, but {card.name} has '{name}'.")
    try:
        return importlib.import_module(TRUNKS[name])
    except ImportError as error:
        hint = "python -m pip install 'autoft-torch[hf]'" if name.startswith("transformers") else ""
        raise TrialFailed(f"{card.name} needs {name}, which cannot be imported: {error}.", hint) from error


def pretrained(card: ModelCard, size: int) -> nn.Module:
    """The trunk with the weights of the card, read from local files; random where the card has none.

    Raises:
        TrialFailed: the weights are not on this machine, or do not fit.
    """
    module = library(card)
    trunk, head = _build(module, card, size)
    if card.pretrained and card.weights:
        path = caches.at_hand(card)
        if path is None:
            raise TrialFailed(f"the weights of {card.name} must be on this machine, but are not: {card.weights}.")
        if hasattr(module, "load") and not card.extra.get("own"):
            module.load(trunk, card, path)
        else:
            _weights.put(trunk, _weights.read(path), head, str(path), strict=bool(card.extra.get("strict")))
    if hasattr(trunk, "take"):
        trunk.take(Path(card.folder))
    return trunk


def empty(card: ModelCard, size: int) -> nn.Module:
    """The trunk with arrays still to be filled in; opens no file and no connection."""
    return _build(library(card), card, size)[0]


def _build(module: ModuleType, card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    built: tuple[nn.Module, Collection[str]] = module.build(card, size)
    return built


@torch.no_grad()
def width(trunk: nn.Module, size: int) -> int:
    """Number of pooled features.

    Raises:
        TrialFailed: the network does not take images of this size, or gives no feature vector.
    """
    trunk.eval()
    if isinstance(told := getattr(trunk, "width", None), int):
        return told
    try:
        features = trunk(torch.zeros(1, 3, size, size))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise TrialFailed(f"the network does not take images of {size} px: {error}") from error
    if not isinstance(features, torch.Tensor) or features.ndim != 2:
        raise TrialFailed(f"a trunk must give one vector per image, but this one gives {_what(features)}.")
    return int(features.shape[1])


def _what(value: object) -> str:
    return f"an array of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
