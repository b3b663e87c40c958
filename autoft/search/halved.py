"""A searcher's proposals by successive halving that promotes, on workers that need no Ray: the scheduler `halving`.

Linear heads on shared features are no dearer to train to their end than to stop: they run whole, side by side where
they differ in nothing but how they are trained (`banks.py`). All others are brackets (`halving.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autoft.contracts import Searcher
from autoft.records import EpochReport, TrialResult
from autoft.search import headgroups
from autoft.search import space as spaces
from autoft.search.halving import ETA, Bracket, Ranks
from autoft.search.outcome import tell
from autoft.search.space import Values
from autoft.search.strategy import AT_A_TIME, Closed, Facts, Order, Work

ROUND: Final = 27
"""Proposals of one round, where no list says how many there are: a searcher that learns does so between rounds."""
MANY: Final = 27
"""Of more trials than these one in `FEWER` goes on. On real learning curves of 51 configurations the result was as good
as with one in three, for four fifths of the epochs; with few it was worse."""
FEWER: Final = 4


class Halved:
    """Implements `Strategy`.

    Args:
        together: proposals that make one round.
    """

    def __init__(self, facts: Facts, searcher: Searcher, together: int = ROUND) -> None:
        self.facts, self.searcher, self.together = facts, searcher, together
        self.params: list[Values] = []
        self.bracket = Bracket("", (), facts.epochs)
        self.ranks = Ranks(facts.mode, facts.blank, facts.perfect, facts.chance)
        self._whole: list[Work] = []
        """Trials that run to their end."""
        self._begun: set[int] = set()
        self._seconds: dict[object, float] = {}
        """Of an epoch, by what decides about it."""
        self._closed: list[Closed] = []
        self._end = ""

    # ---- what comes next ------------------------------------------------------------------------------

    def next(self) -> Work | None:
        if self._end:
            return None
        if not self._whole and not self.bracket.waiting and not self.bracket.running:
            self._end = self._round()
            if self._end:
                return None
        if self._whole:
            return self._whole.pop(0)
        return self._from_bracket()

    def over(self) -> str:
        return self._end

    def chosen(self) -> int | None:
        return None

    def _round(self) -> str:
        """Ask for the next trials; says why where there are none."""
        first = len(self.params)
        most = min(self.together, self.facts.trials - first) if self.facts.trials else self.together
        for number in range(first, first + most):
            params = self.searcher.ask(number)
            if params is None:
                break
            self.params.append(dict(params))
        fresh = range(first, len(self.params))
        if not fresh:
            over = self.facts.trials and first >= self.facts.trials
            return "all trials are done" if over else "there is nothing left to try"
        whole = {number: spaces.resolve(self.facts.space, self.params[number]) for number in fresh}
        heads = [number for number in fresh if headgroups.is_head(whole[number], self.facts)]
        rest = [number for number in fresh if number not in heads]
        if 0 in rest:  # what the others are measured against
            rest.remove(0)
            self._whole.append(Work((self._order(0, 0),)))
        self._whole += [
            Work(tuple(self._order(number, 0) for number in numbers))
            for numbers in headgroups.divided(heads, whole, self.facts.workers)
        ]
        rest.sort(key=lambda number: float(whole[number].get("freeze") or 0))  # the dear ones first: none is waited for
        self.bracket = Bracket("", rest, self.facts.epochs, self.ranks.first, FEWER if len(rest) > MANY else ETA)
        return ""

    def _from_bracket(self) -> Work | None:
        """As many trials as take about a second, but never more than leaves work to the others."""
        bracket = self.bracket
        before = bracket.rungs[bracket.level - 1] if bracket.level else 0
        epochs = bracket.rungs[bracket.level] - before
        most, seconds = max(1, len(bracket.waiting) // self.facts.workers), 0.0
        orders: list[Order] = []
        while len(orders) < most and seconds < AT_A_TIME and (number := bracket.take()) is not None:
            orders.append(self._order(number, bracket.until))
            seconds += epochs * self._seconds.get(self._kind(number), AT_A_TIME)
        return Work(tuple(orders)) if orders else None

    def _order(self, number: int, until: int) -> Order:
        first = number not in self._begun
        self._begun.add(number)
        return Order(number, dict(self.params[number]) if first else None, until)

    def _kind(self, number: int) -> object:
        params = self.params[number]
        return tuple(params.get(key) for key in ("model", "freeze", "image_size"))

    # ---- what came of it ------------------------------------------------------------------------------

    def reported(self, number: int, report: EpochReport) -> None:
        self.ranks.saw(number, report)
        own = report.seconds - report.build_seconds - report.prefix_seconds
        self._seconds[self._kind(number)] = max(0.0, own) / report.epoch

    def paused(self, number: int) -> None:
        self._arrive(number, able=True)

    def ended(self, result: TrialResult) -> None:
        tell(self.searcher, result)
        self.ranks.ended(result.number, failed=result.status == "failed")
        self._arrive(result.number, able=False)

    def closed(self) -> Sequence[Closed]:
        taken, self._closed = self._closed, []
        return taken

    def _arrive(self, number: int, *, able: bool) -> None:
        if number not in self.bracket.running:
            return
        self.bracket.delay(self.ranks.rung(self.bracket.until))
        self.bracket.arrive(number, able=able, epoch=self.ranks.epoch(number))
        words = f"not among the best {'quarter' if self.bracket.one_in == FEWER else 'third'}"
        rung = self.bracket.until
        self._closed += [Closed(n, f"{words} after {rung} epochs") for n in self.bracket.promote(self.ranks.key)]
