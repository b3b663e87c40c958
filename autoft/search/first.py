"""What trial 0 is: the plain default recipe, and where time is short, deeper frozen, without augmentation and in small
batches.

Trial 0 shares the machine with the first heads. Samples as they are pass the frozen blocks once, for both; augmented
ones pass them in every epoch. Where time is left for a few epochs of those at most, augmentation gains nothing: more
epochs do (docs/adr/0053-short-and-cheap.md), and deeper frozen there are three times as many
(docs/adr/0078-short-time.md). An epoch or two are few steps: batches half as large take twice as many in the same time
(docs/adr/0068-first-steps.md).
"""

from __future__ import annotations

from typing import Final

from autoft.search import space as spaces
from autoft.search.families import models
from autoft.search.headgrid import PLAIN, values_of
from autoft.search.headwork import area
from autoft.search.space import Values
from autoft.search.strategy import Facts

SCARCE: Final = 0.06
"""Seconds for each training sample, on images of area 1, below which a CPU gives trial 0 some five augmented epochs, in
its half of the time."""
HALF: Final = 0.5
"""Of the blocks, from which on a default depth says that a network knows much: it may then be frozen deeper."""
BRIEF: Final[Values] = {**PLAIN, "batch_size": 16}
"""What it then has in place of its defaults, where the space has that."""


def recipe(facts: Facts, left: float) -> Values:
    """The configuration of trial 0.

    Args:
        left: seconds for the trials of this search; infinite where it has no limit.
    """
    params = spaces.baseline(facts.space)
    name = str(params.get("model", (*models(facts.space), "")[0]))
    scarce = left < SCARCE * area(params.get("image_size")) * facts.parts[0]
    shares = name in facts.sharing and float(params.get("freeze") or 0.0) > 0.0
    if facts.gpu or not (scarce and shares):
        return params
    brief = {key: value for key, value in BRIEF.items() if value in values_of(facts.space, key, params)}
    depth = float(params["freeze"] or 0.0)
    deeper = [value for value in values_of(facts.space, "freeze", params) if depth < float(value or 0.0) < 1.0]
    if depth >= HALF and deeper and brief.get("augment") == PLAIN["augment"]:
        brief["freeze"] = min(deeper, key=lambda value: float(value or 0.0))
    return {**params, **brief}
