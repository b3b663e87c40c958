"""What trial 0 is: the default recipe from a solved head where a network knows much, and where time is short, deeper
frozen, without augmentation and in small batches.

A random head distorts the features that a network brings until it has learned what a solution tells at once (LP-FT,
Kumar et al., ICLR 2022); with it, rates are lower (docs/adr/0085-trial-0-from-a-solved-head.md).

Trial 0 shares the machine with the first heads. Samples as they are pass the frozen blocks once, for both; augmented
ones pass them in every epoch. Where time is left for a few epochs of those at most, augmentation gains nothing: more
epochs do (docs/adr/0053-short-and-cheap.md), and deeper frozen there are three times as many
(docs/adr/0078-short-time.md). An epoch or two are few steps: batches half as large take twice as many in the same time
(docs/adr/0068-first-steps.md).
"""

from __future__ import annotations

from typing import Final

from autoft.search import space as spaces
from autoft.search.families import keeping, models
from autoft.search.headgrid import PLAIN, values_of
from autoft.search.headwork import area
from autoft.search.space import Space, Values
from autoft.search.strategy import Facts

SCARCE: Final = 0.06
"""Seconds for each training sample, on images of area 1, below which a CPU gives trial 0 some five augmented epochs, in
its half of the time."""
HALF: Final = 0.5
"""Of the blocks, from which on a default depth says that a network knows much: it may then be frozen deeper."""
KINDS: Final = ("logistic", "ridge")
"""Of solved heads, the better one to begin with first; numbers have no logistic one."""
BRIEF: Final[Values] = {**PLAIN, "batch_size": 16}
"""What it then has in place of its defaults, where the space has that."""


def recipe(facts: Facts, left: float) -> Values:
    """The configuration of trial 0.

    Args:
        left: seconds for the trials of this search; infinite where it has no limit.
    """
    params = spaces.baseline(facts.space)
    name = _network(facts.space, params)
    scarce = left < SCARCE * area(params.get("image_size")) * facts.parts[0]
    shares = name in facts.sharing and float(params.get("freeze") or 0.0) > 0.0
    if scarce and (facts.gpu or not shares):
        return params  # one pass of all samples through the whole network may be more than there is time for
    if scarce:
        params = {**params, **_brief(facts.space, params)}
    return {**params, **_begun(facts, params)}


def begins_solved(facts: Facts) -> bool:
    """Whether it begins with a solved head. The plain default recipe is then worth a trial as well: on images unlike
    those that a network has seen a random head and higher rates may be better."""
    return bool(_begun(facts, spaces.baseline(facts.space)))


def _network(space: Space, params: Values) -> str:
    return str(params.get("model", (*models(space), "")[0]))


def _brief(space: Space, params: Values) -> Values:
    """What it has otherwise where time is short, as far as the space leaves it open."""
    brief = {key: value for key, value in BRIEF.items() if value in values_of(space, key, params)}
    depth = float(params["freeze"] or 0.0)
    deeper = [value for value in values_of(space, "freeze", params) if depth < float(value or 0.0) < 1.0]
    if depth >= HALF and deeper and brief.get("augment") == PLAIN["augment"]:
        brief["freeze"] = min(deeper, key=lambda value: float(value or 0.0))
    return brief


def _begun(facts: Facts, params: Values) -> Values:
    """What it has otherwise where it begins with a solved head."""
    if not facts.solvable or _network(facts.space, params) not in facts.featured or params.get("head_width"):
        return {}
    kinds = values_of(facts.space, "head_init", params)
    kind = next((word for word in KINDS if word in kinds), "")
    knows = HALF <= float(params.get("freeze") or 0.0) < 1.0
    if not (knows and kind and len(kinds) > 1):
        return {}
    return {**spaces.resolve(facts.space, {**params, "head_init": kind}), **keeping(facts.space, params)}
