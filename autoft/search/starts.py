"""Which trials begin with the model of another one, where no head can be solved and no frozen prefix be kept.

A detector learns its head from nothing. Where time allows few epochs, a trial that begins anew has fewer of them than
trial 0 had, and ends below it. One that goes on from the best model so far begins about where that one stood; whether
it comes beyond it is open (decision 28 has what was measured).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from autoft.options import KEPT_MODELS
from autoft.records import Scalar, TrialResult
from autoft.search.space import Values

SAME: Final = ("model", "head_width", "formulation")
"""What both trials must have in common: weights of another network do not fit."""
TAKEN: Final = ("image_size",)
"""What a trial takes over from the one that it goes on from: some networks are made for one size."""
TRIES: Final = 8
"""Draws for each trial that is to go on: those of other networks do not count."""


class Starts:
    """Chooses among trials that have ended, and remembers who began with whose model."""

    def __init__(self, *, able: bool) -> None:
        self.able = able
        self.waiting: set[int] = set()
        """Trials that are to begin with the best model there is by then."""
        self.of: dict[int, int] = {}
        """Trial -> the one whose model it began with."""

    def wanted(self, first: TrialResult | None, brackets: int) -> bool:
        """Whether the trials of the next bracket go on from others.

        Args:
            first: trial 0, if it has ended.
            brackets: how many there were.

        Where trial 0 had time for all its epochs, a whole trial fits several times: every second bracket then begins
        anew, so that one bad start does not decide.
        """
        if not self.able or first is None or not first.folder:
            return False
        return self.short(first) or brackets % 2 == 1

    def short(self, first: TrialResult | None) -> bool:
        """Whether time left trial 0 fewer epochs than its recipe has. No whole trial fits once more then."""
        return self.able and first is not None and bool(first.history) and first.history[-1].planned > 0

    def changed(self, number: int, params: Values, leaders: Sequence[TrialResult]) -> Values | None:
        """The parameters of a trial that is to go on from the best model there is by then; None if none fits."""
        leader = next((one for one in leaders if agree(SAME, params, one)), None)
        if leader is None:
            return None
        self.waiting.add(number)
        own = leader.recipe.flat()
        return {**params, **{key: own[key] for key in TAKEN if key in params}}

    def begin(self, number: int, params: Values, leaders: Sequence[TrialResult]) -> int:
        """The trial whose model this one begins with, now that it does; -1 for none."""
        if number not in self.waiting:
            return -1
        leader = next((one for one in leaders if agree((*SAME, *TAKEN), params, one)), None)
        if leader is None:
            return -1
        self.of[number] = leader.number
        return leader.number


def leaders(results: Mapping[int, TrialResult], best_of: Mapping[int, float]) -> list[TrialResult]:
    """Those that have ended and whose models a run keeps: the best few, and trial 0."""
    ended = [number for number, result in results.items() if result.folder and number in best_of]
    ranked = sorted(ended, key=lambda number: (-best_of[number], number))
    kept = dict.fromkeys([*ranked[:KEPT_MODELS], *(number for number in ranked if number == 0)])
    return [results[number] for number in kept]


def agree(keys: Sequence[str], params: Mapping[str, Scalar], other: TrialResult) -> bool:
    """Whether both have the same; what the parameters leave open is the same for all."""
    own = {**other.recipe.flat(), "model": other.model}
    return all(params.get(key, own[key]) == own[key] for key in keys)
