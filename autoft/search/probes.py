"""Which of many networks are worth the features of all samples: by a head that is solved on some of them, halved once
(after SHiFT, Renggli et al., VLDB 2023, who halve many times)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final

PROBE: Final = 512
"""Training samples that a head is solved on to tell what a network is worth."""
MUCH: Final = 4
"""Times as many there must be: else little is spared."""
LEAST: Final = 2
"""Networks that go on at least: some samples are no ground for a single pick."""


class Probes:
    """Names each network once, and when their values are known, those that do not go on.

    Args:
        networks: the most promising first.
        rows: training samples.
    """

    def __init__(self, networks: Sequence[str], rows: int) -> None:
        self.networks = tuple(networks)
        self.over = len(networks) <= LEAST or rows < MUCH * PROBE
        self._waiting = list(networks)
        self._values: dict[str, float] = {}

    def next(self, busy: Collection[str]) -> str:
        """A network to be tried now; empty when there is none."""
        name = next((name for name in self._waiting if name not in busy), "")
        if name:
            self._waiting.remove(name)
        return name

    def skip(self, name: str) -> None:
        """This network has no head to be solved: it goes on untried."""
        self.networks = tuple(other for other in self.networks if other != name)

    def saw(self, name: str, value: float) -> None:
        """Larger is better."""
        self._values[name] = value

    def end(self) -> set[str]:
        """Networks that do not go on: the worse half, of equal ones the less promising; none where nothing is known."""
        self.over = True
        ranked = sorted(self._values, key=lambda name: (-self._values[name], self.networks.index(name)))
        kept = ranked[: max(LEAST, math.ceil(len(ranked) / 2))]
        return {*self.networks} - {*kept} if ranked else set()
