"""How long epochs take, by family of trials and by the area of their images."""

from __future__ import annotations

from collections import defaultdict

from autoft.records import EpochReport


class Times:
    """How long epochs take, by family, for images of area 1."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.epochs: dict[int, int] = {}
        self._areas: dict[str, float] = defaultdict(float)
        self._last: dict[int, float] = {}

    def saw(self, family: str, number: int, report: EpochReport, area: float = 1.0) -> None:
        before = self._last.get(number, report.build_seconds + report.prefix_seconds)
        self._last[number] = report.seconds
        self.epochs[number] = report.epoch
        self.spent[family] += max(0.0, report.seconds - before)
        self._areas[family] += area

    def forget(self, number: int) -> None:
        self._last.pop(number, None)

    def measured(self, family: str) -> bool:
        return self._areas[family] > 0

    def epoch(self, family: str) -> float:
        return self.spent[family] / self._areas[family]
