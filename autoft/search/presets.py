"""Presets: how much a search spends per trial, on which networks, and how widely it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from autoft.errors import UsageError
from autoft.records import ModelCard, Record
from autoft.vocab import did_you_mean

Breadth = Literal["narrow", "usual", "wide"]


class Preset(Record, frozen=True):
    """One bundle of defaults. Every value can be overridden on its own."""

    name: str
    summary: str
    epochs: int
    """Most epochs of a trial."""
    patience: int
    """Epochs without a better score before a trial stops."""
    time: float
    """Seconds for the whole command, where the user names none."""
    image_size: int
    """Largest side of an image, in pixels."""
    models: int
    """How many networks are searched."""
    params: int
    """Largest network, in parameters of the backbone."""
    breadth: Breadth
    """How widely the rarer parameters are searched."""
    aliases: tuple[str, ...] = ()


_ALL: Final = (
    Preset(
        name="fast",
        summary="small networks, small images, the parameters that matter most",
        epochs=12,
        patience=4,
        time=600,
        image_size=128,
        models=2,
        params=6_000_000,
        breadth="narrow",
        aliases=("medium_quality",),
    ),
    Preset(
        name="balanced",
        summary="networks and images of middle size, every parameter",
        epochs=20,
        patience=6,
        time=1800,
        image_size=192,
        models=3,
        params=15_000_000,
        breadth="usual",
        aliases=("high_quality",),
    ),
    Preset(
        name="best",
        summary="large networks and images, wide ranges, many epochs",
        epochs=40,
        patience=10,
        time=14_400,
        image_size=288,
        models=5,
        params=100_000_000,
        breadth="wide",
        aliases=("best_quality",),
    ),
)
PRESETS: Final = {preset.name: preset for preset in _ALL}


def find_preset(name: str) -> Preset:
    """The preset with this name or alias.

    Raises:
        UsageError: there is none.
    """
    for preset in PRESETS.values():
        if name == preset.name or name in preset.aliases:
            return preset
    known = [word for preset in PRESETS.values() for word in (preset.name, *preset.aliases)]
    raise UsageError(f"preset must be one of {', '.join(known)}, but got '{name}'.{did_you_mean(name, known)}")


def pick_models(cards: Sequence[ModelCard], preset: str) -> tuple[ModelCard, ...]:
    """The networks that a preset searches among those that can be used now.

    Pretrained ones come first, then those at hand, each in the order of `cards` (a source lists its best first).
    Networks above the preset's size are left out, unless that leaves none: the smallest then stands in.
    """
    wanted = find_preset(preset)
    fitting = [card for card in cards if card.params <= wanted.params]
    fitting = fitting or sorted(cards, key=lambda card: card.params)[:1]
    ranked = sorted(fitting, key=lambda card: (not card.pretrained, not card.offline))
    pretrained = [card for card in ranked if card.pretrained]
    return tuple((pretrained or ranked)[: wanted.models])


def sizes_for(card: ModelCard, side: int, preset: str) -> tuple[int, ...]:
    """Image sizes to search for a network and data whose shorter side is `side` pixels; the default comes first.

    A pretrained network loses much below half the size it was trained on (its filters then meet another scale) and
    gains little above it. From scratch, the size for which the network was drawn is the default, since time grows
    with the square of the side; larger ones are searched where the data have them.
    """
    wanted = find_preset(preset)
    if card.fixed_size:
        return (card.input_size,)
    least = max(card.min_size, card.input_size // 2) if card.pretrained else card.min_size
    most = max(card.min_size, min(card.input_size, wanted.image_size))
    first = _rounded(min(max(side, least), most))
    if wanted.breadth == "narrow":
        return (first,)
    if card.pretrained:
        factors: tuple[float, ...] = (2 / 3, 4 / 3) if wanted.breadth == "wide" else (2 / 3,)
    else:
        factors = (1.5, 2.0) if wanted.breadth == "wide" else (1.5,)
    largest = wanted.image_size if card.pretrained else min(wanted.image_size, max(first, _rounded(side)))
    others = (_rounded(int(first * factor)) for factor in factors)
    return tuple(dict.fromkeys([first, *(o for o in others if card.min_size <= o <= largest)]))


def _rounded(side: int) -> int:
    """Up to a multiple of 32 (networks halve the size five times), of 8 for small images."""
    step = 32 if side > 64 else 8
    return -(-side // step) * step
