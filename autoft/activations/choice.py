"""Whether a trial may take its frozen prefix from the cache, and which cuts are worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autoft.recipe import Recipe
from autoft.records import Cut

LEAST = 150_000
"""Bytes that an array of one sample may always have; above, it must not be larger than the image it is made of."""


class Choice(NamedTuple):
    """The cut at which a trial begins, and those that other trials will ask for: one pass fills all."""

    own: Cut
    others: tuple[Cut, ...]

    @property
    def all(self) -> tuple[Cut, ...]:
        return (self.own, *self.others)


def forbidden(recipe: Recipe, blocks: int) -> str:
    """Why frozen blocks do not see the same samples in every epoch, or empty if they do."""
    if not frozen(recipe.freeze, blocks):
        return "no block is frozen"
    if recipe.augment != "none" and not recipe.views:
        return f"augment={recipe.augment} is drawn anew in every epoch; views above 0 would draw it once"
    for key in ("mixup", "cutmix"):
        if getattr(recipe, key):
            return f"{key} mixes the images anew in every epoch"
    return ""


def frozen(freeze: float, blocks: int) -> int:
    """How many of the blocks a fraction freezes."""
    return round(freeze * blocks)


def choose(
    cuts: Sequence[Cut],
    own: int,
    depths: Sequence[int],
    image_size: int,
    rows: int,
    max_bytes: int,
    *,
    first: Cut | None = None,
    also: Cut | None = None,
) -> Choice | str:
    """The deepest suitable cut for this trial and for each other depth, or why there is none.

    Args:
        own: blocks that this trial has frozen.
        depths: blocks that other trials will have frozen.
        image_size: side of the image that the network sees; 0 where the input is none.
        rows: of one store, times the number of views.
        max_bytes: that all stores together may have.
        first: the cut of this trial, where it can begin at no other one.
        also: a cut that other trials will ask for beside those of their depths.
    """
    at = [first] if first else [cut for cut in cuts if 0 < cut.depth <= own]
    if not at:
        return f"the network cannot be cut within its first {own} blocks"
    most = max(LEAST, 3 * image_size**2)
    small = [cut for cut in cuts if cut.bytes <= most]
    least = min(at, key=lambda cut: cut.bytes)
    mine = _deepest(at if first else small, own)
    if mine is None:
        return f"a sample has {_size(least.bytes)} at least where it can be cut, but {_size(most)} is the most to keep"
    mine = _deepest([cut for cut in (at if first else small) if cut.bytes * rows <= max_bytes], own)
    if mine is None:
        return f"{_size(least.bytes * rows)} at least would be kept, but {_size(max_bytes)} may be"
    left, others = max_bytes - mine.bytes * rows, []
    wanted = {cut for cut in (also, *(_deepest(small, depth) for depth in depths)) if cut and cut != mine}
    for cut in sorted(wanted, key=lambda cut: (cut.bytes, cut.depth)):  # the small ones first: they help most trials
        if cut.bytes * rows <= left:
            left -= cut.bytes * rows
            others.append(cut)
    return Choice(mine, tuple(others))


def _deepest(cuts: Sequence[Cut], depth: int) -> Cut | None:
    """The last of the cuts, which stand by depth, with at most `depth` blocks before it."""
    return next((cut for cut in reversed(cuts) if 0 < cut.depth <= depth), None)


def _size(count: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"
