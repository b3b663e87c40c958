"""Makes the trunk of a card: a functional model from images (n, size, size, 3) to pooled features (n, width).

Networks for texts and recordings take in what their module's `reader` makes (`_rows`), and may give features of each
token or frame (n, length, width), NaN where there is nothing.

Each library has its own module with `build(card, size)`, which gives the network with random weights in the layout
of its weights files, and `load(network, card, path)`, which fills it. If that network is more than the trunk,
`trunk(network, card)` cuts it out; the layers stay the same objects.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import keras

from autoft.api import ModelCard, TrialFailed
from autoft_keras import _weights, caches

LIBRARIES = {
    "autoft": "autoft_keras._resnet_trunk",
    "cepstra": "autoft_keras._cepstra",
    "ctc": "autoft_keras._ctc",
    "ctc-conv": "autoft_keras._ctcconv",
    "file": "autoft_keras._kerasfile",
    "hashing": "autoft_keras._hashing",
    "keras": "autoft_keras._applications",
    "kerashub": "autoft_keras._kerashub",
    "kerashub-boxes": "autoft_keras._kerashub_boxes",
    "kerashub-maps": "autoft_keras._kerashub_maps",
    "kerashub-text": "autoft_keras._kerashub_text",
}


def library(card: ModelCard) -> ModuleType:
    name = str(card.extra.get("library", ""))
    if name not in LIBRARIES:
        raise TrialFailed(
            f"the library of a network must be one of {', '.join(LIBRARIES)}, but {card.name} has '{name}'."
        )
    try:
        return importlib.import_module(LIBRARIES[name])
    except ImportError as error:
        hint = "python -m pip install 'autoft-keras[hub]'" if name.startswith("kerashub") else ""
        raise TrialFailed(f"{card.name} needs {name}, which cannot be imported: {error}.", hint) from error


def of_hub(card: ModelCard) -> bool:
    """Whether layers of KerasHub are in it."""
    return str(card.extra.get("library", "")).startswith("kerashub")


def pretrained(card: ModelCard, size: int) -> keras.Model:
    """The trunk with the weights of the card, read from local files; random where the card has none.

    Raises:
        TrialFailed: the weights are not on this machine, or do not fit.
    """
    module = library(card)
    network = _build(module, card, size)
    if not card.pretrained or not card.weights:
        return _trunk(module, network, card)
    path = caches.at_hand(card)
    if path is None:
        raise TrialFailed(f"the weights of {card.name} must be on this machine, but are not: {card.weights}.")
    if card.extra.get("own"):  # saved by a learner, which had the trunk alone
        trunk = _trunk(module, network, card)
        _weights.put(trunk, path, card.name)
        return trunk
    if card.extra.get("foreign"):
        _weights.put(network, path, card.name)
    else:
        module.load(network, card, path)
    return _trunk(module, network, card)


def empty(card: ModelCard, size: int) -> keras.Model:
    """The trunk with arrays still to be filled in; opens no connection."""
    module = library(card)
    return _trunk(module, _build(module, card, size), card)


def _build(module: ModuleType, card: ModelCard, size: int) -> keras.Model:
    try:
        return module.build(card, size)
    except (TypeError, ValueError) as error:
        raise TrialFailed(f"{card.name} does not take images of {size} px: {_first_line(error)}") from error


def _trunk(module: ModuleType, network: keras.Model, card: ModelCard) -> keras.Model:
    trunk = module.trunk(network, card) if hasattr(module, "trunk") else network
    if card.native:  # it reaches to the end of a head of its own (`_own`)
        return trunk
    shape: Any = trunk.output_shape
    ranks, words = ((2,), "image") if card.modality == "image" else ((2, 3), "sample, token or frame")
    if not isinstance(shape, tuple) or len(shape) not in ranks or not shape[-1]:
        raise TrialFailed(f"a trunk must give one vector per {words}, but that of {card.name} gives {shape}.")
    return trunk


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
