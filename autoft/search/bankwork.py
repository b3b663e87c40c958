"""Linear heads trained by steps, on the features on which a network's solved heads did best: a few configurations of
one piece of work, so that they train side by side (`banks.py`) for about the price of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from autoft.records import Scalar
from autoft.search import space as spaces
from autoft.search.families import READING, Draws
from autoft.search.headgrid import PLAIN, Solving, values_of
from autoft.search.space import Space, Values

BANK: Final = "bank"
COUNT: Final = 12
"""Heads of one network. With more of them, the best of many equal scores is luck."""
ALIKE: Final[Mapping[str, Scalar]] = {
    "freeze": 1.0,
    "head_width": 0,
    "dropout": 0.0,
    "views": 0,
    **PLAIN,
}
"""What heads that train side by side need."""
SAME: Final = ("batch_size", "class_weights", "precision")
"""What they must have in common; the default will do."""


class Banks:
    """Gives each network its heads by steps, once."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space, self.seed = space, seed
        self.done: set[str] = set()

    def next(self, heads: Mapping[str, Solving], most: int) -> list[Values]:
        """Those of the first network that has had none; empty when all have had theirs.

        Args:
            heads: the best solved head of each network, in the order of their turn.
            most: configurations that there is room for.
        """
        for name, head in heads.items():
            if most > 0 and name not in self.done:
                self.done.add(name)
                if found := configurations(self.space, head, self.seed, min(most, COUNT)):
                    return found
        return []


def configurations(space: Space, head: Solving, seed: int, count: int = COUNT) -> list[Values]:
    """Configurations around the default recipe and all over the space; none where the space forbids heads alone.

    Args:
        head: the network's best solved head: it says how features are had, and where some of the heads start.
    """
    base = spaces.resolve(space, {"model": head.model} if any(p.key == "model" for p in space) else {})
    wanted: Values = {**ALIKE, **{key: base[key] for key in (*SAME, *READING) if key in base}}
    if head.model and "model" in base:
        wanted["model"] = head.model
    if values_of(space, "pooling", wanted):
        wanted.setdefault("pooling", "auto")
    wanted |= head.reading | ({"formulation": head.formulation} if head.formulation else {})
    part = _narrowed(space, wanted)
    if part is None:
        return []
    draws = Draws(part, BANK, [head.model], seed)
    found = (draws.draw(None, lambda model: head if draws.count % 2 else None) for _ in range(count))
    return [params for params in found if params is not None and params.get("optimizer") != "solve"]


def _narrowed(space: Space, wanted: Mapping[str, Scalar]) -> Space | None:
    """The space with these values alone, or None where it does not have one of them."""
    edited = []
    for key, value in wanted.items():
        variants = [param for param in space if param.key == key]
        if not variants and value != spaces.DEFAULTS.get(key):
            return None
        fitting = [param for param in variants if spaces.contains(param, value)]
        if variants and not fitting:
            return None
        edited += [replace(p, kind="choice", choices=(value,), low=0.0, high=0.0, default=value) for p in fitting]
    return spaces.edit(space, edited)
