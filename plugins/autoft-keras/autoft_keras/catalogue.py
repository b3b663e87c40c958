"""The networks worth listing, from a file that `tools/make_catalogue.py` writes, and where their weights lie."""

from __future__ import annotations

import functools
import re
from importlib.resources import files

import msgspec

from autoft.api import ModelCard, described
from autoft_keras import caches

PYRAMIDS = ("autoft", "keras", "kerashub")
"""Libraries whose networks in the catalogue give maps at several strides, but for `FLAT`."""
FLAT = ("kerashub/vit_", "kerashub/deit_", "kerashub/swin_")


@functools.cache
def listed() -> tuple[ModelCard, ...]:
    """All cards of the shipped catalogue, as published."""
    cards = msgspec.json.decode((files("autoft_keras") / "catalogue.json").read_bytes(), type=tuple[ModelCard, ...])
    return tuple(
        msgspec.structs.replace(card, heads=("pooled", "dense"))
        if card.extra["library"] in PYRAMIDS and not card.name.startswith(FLAT)
        else card
        for card in cards
    )


def of(prefix: str) -> tuple[ModelCard, ...]:
    """The cards of one source, each saying whether its weights are at hand now."""
    return tuple(caches.mark(card) for card in listed() if card.name.startswith(prefix + "/"))


def find(name: str) -> ModelCard | None:
    """The card of a name, in any of its spellings: ``keras/resnet50`` is also ``keras/ResNet50``."""
    prefix, _, rest = name.partition("/")
    for card in listed():
        own, _, known = card.name.partition("/")
        if own == prefix and plain(rest) in (plain(known), plain(str(card.extra.get("architecture", "")))):
            return caches.mark(card)
    return None


def plain(name: str) -> str:
    """A name without what spellings differ in: case, underscores, hyphens, dots."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def describe(name: str) -> ModelCard:
    """The card of a network that the catalogue does not list, found out by Keras in another process.

    Raises:
        UsageError: there is no such network, or the named file does not fit it.
    """
    environment = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    return caches.mark(described("autoft_keras._describe", name, environment))
