"""`autoft search` over the configurations of a file, by autoft's own halving that promotes in place of ASHA.

    BENCH_CONFIGS=configs.json python -m benchmarks.common.halved search --strategy auto ...

The command line has no words for it: a list comes from a searcher, a searcher needs the flat strategy, and that stops
trials by a scheduler of Ray. So this puts a strategy made of `autoft.search.halving` in the place of `auto`, no more:
orders, pieces of work, pausing and taking up again are those of the product.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from autoft.cli.main import main
from autoft.pipeline import search
from autoft.records import EpochReport, TrialResult
from autoft.search.auto import AT_A_TIME
from autoft.search.halving import Bracket
from autoft.search.strategy import Closed, Order, Work
from benchmarks.common.listed import CONFIGS


class Halved:
    """One bracket of all configurations. Implements `Strategy`."""

    def __init__(self, rows: Sequence[dict[str, Any]], epochs: int, workers: int) -> None:
        self.rows, self.workers = rows, workers
        self.bracket = Bracket("listed", range(len(rows)), epochs)
        self.best: dict[int, float] = {}
        self.seconds: dict[int, float] = {}
        """Of an epoch, by trial."""
        self._closed: list[Closed] = []

    def next(self) -> Work | None:
        """As many trials as take about a second, but never more than leaves work to the others."""
        most = max(1, len(self.bracket.waiting) // self.workers)
        orders: list[Order] = []
        spent = 0.0
        while len(orders) < most and spent < AT_A_TIME and (number := self.bracket.take()) is not None:
            level, rungs = self.bracket.level, self.bracket.rungs
            orders.append(Order(number, None if level else dict(self.rows[number]), self.bracket.until))
            each = max(self.seconds.values(), default=AT_A_TIME)
            spent += each * (rungs[level] - (rungs[level - 1] if level else 0))
        return Work(tuple(orders)) if orders else None

    def over(self) -> str:
        return "all configurations are done" if self.bracket.done else ""

    def chosen(self) -> int | None:
        return None

    def reported(self, number: int, report: EpochReport) -> None:
        self.best[number] = max(report.score, self.best.get(number, -1.0))
        self.seconds[number] = (report.seconds - report.build_seconds) / report.epoch

    def paused(self, number: int) -> None:
        self._arrive(number, able=True)

    def ended(self, result: TrialResult) -> None:
        self.seconds.setdefault(result.number, 0.0)
        self._arrive(result.number, able=False)

    def closed(self) -> Sequence[Closed]:
        taken, self._closed = self._closed, []
        return taken

    def _arrive(self, number: int, *, able: bool) -> None:
        self.bracket.arrive(number, able=able)
        self._closed += [Closed(n, "not among the best third") for n in self.bracket.promote(self._key)]

    def _key(self, number: int) -> tuple[float, int]:
        return -self.best[number], number


def made(registry: Any, options: Any, plan: Any, budget: Any, concurrency: int) -> Halved:
    """In the place of `pipeline.search._auto`."""
    rows = json.loads(Path(os.environ[CONFIGS]).read_text(encoding="utf-8"))
    return Halved(rows, plan.epochs, concurrency)


if __name__ == "__main__":
    with mock.patch.object(search, "_auto", made):
        main()
