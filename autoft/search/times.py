"""How long epochs take, by family of trials: of the whole network, on images of area 1."""

from __future__ import annotations

from collections import defaultdict

from autoft.records import EpochReport


class Times:
    """How long epochs take, by family. They are told with a weight: the area of their images, times what an epoch costs
    as a part of one of the whole network (`families.price`)."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.epochs: dict[int, int] = {}
        """Of each trial, how many it has done."""
        self._weights: dict[str, float] = defaultdict(float)
        self._last: dict[int, float] = {}

    def saw(self, family: str, number: int, report: EpochReport, weight: float = 1.0) -> None:
        before = self._last.get(number, report.build_seconds + report.prefix_seconds)
        self._last[number] = report.seconds
        self.epochs[number] = report.epoch
        self.spent[family] += max(0.0, report.seconds - before)
        self._weights[family] += weight

    def forget(self, number: int) -> None:
        self._last.pop(number, None)

    def measured(self, family: str) -> bool:
        return self._weights[family] > 0

    def epoch_seconds(self, family: str) -> float:
        """Of an epoch of weight 1; there must be one that was `measured`."""
        return self.spent[family] / self._weights[family]
