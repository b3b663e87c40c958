"""How long epochs take, by family of trials."""

from __future__ import annotations

from collections import defaultdict

from autoft.records import EpochReport


class Times:
    """How long epochs take, by family."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.epochs: dict[int, int] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self._last: dict[int, float] = {}

    def saw(self, family: str, number: int, report: EpochReport) -> None:
        before = self._last.get(number, report.build_seconds)
        self._last[number] = report.seconds
        self.epochs[number] = report.epoch
        self.spent[family] += max(0.0, report.seconds - before)
        self._counts[family] += 1

    def forget(self, number: int) -> None:
        self._last.pop(number, None)

    def measured(self, family: str) -> bool:
        return self._counts[family] > 0

    def epoch(self, family: str) -> float:
        return self.spent[family] / self._counts[family]
