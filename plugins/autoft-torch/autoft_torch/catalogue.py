"""The networks worth listing, from a file that `tools/make_catalogue.py` writes, and where their weights lie."""

from __future__ import annotations

import functools
from importlib.resources import files

import msgspec

from autoft.api import ModelCard, described
from autoft_torch import caches

PYRAMIDS = ("autoft", "timm", "torchvision")
"""Libraries whose networks in the catalogue give maps at several strides."""
FLAT = "torchvision/vit"
"""How networks without such maps begin."""


@functools.cache
def listed() -> tuple[ModelCard, ...]:
    """All cards of the shipped catalogue, as published."""
    cards = msgspec.json.decode((files("autoft_torch") / "catalogue.json").read_bytes(), type=tuple[ModelCard, ...])
    return tuple(
        msgspec.structs.replace(card, heads=("pooled", "dense"))
        if card.extra["library"] in PYRAMIDS and not card.native and not card.name.startswith(FLAT)
        else card
        for card in cards
    )


def of(prefix: str) -> tuple[ModelCard, ...]:
    """The cards of one source, each saying whether its weights are at hand now."""
    return tuple(caches.mark(card) for card in listed() if card.name.startswith(prefix + "/"))


def find(name: str) -> ModelCard | None:
    """The card of a name, with or without the tag of its weights."""
    for card in listed():
        if name in (card.name, f"{card.name}.{card.extra.get('tag', '')}"):
            return caches.mark(card)
    return None


def describe(name: str) -> ModelCard:
    """The card of a network that the catalogue does not list, found out by the libraries in another process.

    Raises:
        UsageError: there is no such network, or the named file does not fit it.
    """
    return caches.mark(described("autoft_torch._describe", name))
