"""How long heads take to be solved, and which of them are worth it: those that would not be done are not begun."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from autoft.recipe import LEVELS
from autoft.records import EpochReport, Scalar
from autoft.search.space import Values

Kind = tuple[bool, str]
"""Whether all levels are seen, and the method."""
PARTS: Final[Mapping[Kind, float]] = {(True, "ridge"): 0.1, (True, "logistic"): 0.05}
"""Of the time there was, what heads of a kind may take together; others may take all that is left."""
WIDER: Final = 4
"""Times as many features all levels have, about."""


class HeadTimes:
    """Told of heads that were solved; says which others there is time for."""

    def __init__(self) -> None:
        self._seconds: dict[Kind, list[float]] = defaultdict(list)

    def saw(self, params: Mapping[str, Scalar], report: EpochReport) -> None:
        spent = report.seconds - report.build_seconds - report.prefix_seconds
        self._seconds[_kind(params)].append(max(0.0, spent))

    def fitting(self, found: Sequence[Values], left: float) -> list[Values]:
        """The first of these heads that will be done in their part of `left` seconds; a kind of which nothing is known
        takes none."""
        if left <= 0:
            return []
        fitting: list[Values] = []
        needed = 0.0
        for params in found:
            kind = _kind(params)
            needed += self._one(kind)
            part, spent = (PARTS[kind], math.fsum(self._seconds[kind])) if kind in PARTS else (1.0, 0.0)
            if spent + needed > part * (spent + left):
                break
            fitting.append(params)
        return fitting

    def _one(self, kind: Kind) -> float:
        """Expected seconds of a head."""
        if known := self._seconds.get(kind):
            return math.fsum(known) / len(known)
        if kind != (True, "logistic"):
            return 0.0
        plain = self._seconds.get((False, "logistic"), [])
        ridge = self._seconds.get((True, "ridge"), [])
        return max([0.0, *ridge, WIDER * math.fsum(plain) / max(1, len(plain))])


def is_wide(params: Mapping[str, Scalar]) -> bool:
    """Whether a head sees all levels."""
    return params.get("pooling") == LEVELS


def _kind(params: Mapping[str, Scalar]) -> Kind:
    return is_wide(params), str(params.get("head_init"))
