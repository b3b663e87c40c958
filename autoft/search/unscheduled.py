"""A searcher's proposals as a strategy: every trial runs to its own end, so no scheduler is needed."""

from __future__ import annotations

from collections.abc import Sequence

from autoft.contracts import Searcher
from autoft.records import EpochReport, TrialResult
from autoft.search.outcome import tell
from autoft.search.strategy import Closed, Order, Work


class Unscheduled:
    """Implements `Strategy`.

    Args:
        trials: how many at most; 0 goes on as long as something is proposed.
    """

    def __init__(self, searcher: Searcher, trials: int) -> None:
        self._searcher, self._trials = searcher, trials
        self._asked = 0
        self._end = ""

    def next(self) -> Work | None:
        if self._end:
            return None
        if self._trials and self._asked >= self._trials:
            self._end = "all trials are done"
            return None
        params = self._searcher.ask(self._asked)
        if params is None:
            self._end = "there is nothing left to try"
            return None
        self._asked += 1
        return Work((Order(self._asked - 1, dict(params)),))

    def over(self) -> str:
        return self._end

    def reported(self, number: int, report: EpochReport) -> None: ...

    def paused(self, number: int) -> None: ...

    def ended(self, result: TrialResult) -> None:
        tell(self._searcher, result)

    def closed(self) -> Sequence[Closed]:
        return ()

    def chosen(self) -> int | None:
        return None
