"""Which trials of a piece of work can train side by side, told from their specs alone (`autoft.bank` does it)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from msgspec.structs import replace

from autoft import headbank
from autoft.recipe import Recipe
from autoft.records import TrialSpec

OWN: Final = (
    *("optimizer", "lr", "layer_decay", "momentum", "nesterov", "epochs", "patience", "schedule", "warmup", "clip"),
    *("weight_decay", "l1", "label_smoothing", "head_activation", "head_init", "head_strength"),
)
"""What each head of a bank may have for itself: none of it changes the features, or the order of minibatches."""
_DEFAULTS: Final = {key: getattr(Recipe(), key) for key in OWN}


class Key(NamedTuple):
    """What trials of one bank have in common."""

    spec: TrialSpec | None
    number: int
    """Of a trial that must run alone, so that no other is like it; else -1."""


def refusal(spec: TrialSpec) -> str:
    """Why a trial must be trained alone, or empty."""
    recipe = spec.recipe
    if spec.caching is None:
        return "nothing is shared between trials"
    if recipe.augment != "none" and not recipe.views:
        return f"augment={recipe.augment} is drawn anew in every epoch"
    return headbank.refusal(recipe, spec.problem)


def key(spec: TrialSpec) -> Key:
    """Trials with equal keys can be trained in one bank."""
    if refusal(spec):
        return Key(None, spec.number)
    recipe = replace(spec.recipe, **_DEFAULTS)
    return Key(replace(spec, number=0, folder="", deadline=0.0, allowance=0.0, recipe=recipe), -1)


def runs(specs: Sequence[TrialSpec | None]) -> Iterator[list[int]]:
    """Places of specs that stand next to each other and can train side by side; None stands alone."""
    places = enumerate(key(spec) if spec is not None else Key(None, -2 - place) for place, spec in enumerate(specs))
    for _, group in groupby(places, key=lambda item: item[1]):
        yield [place for place, _ in group]
