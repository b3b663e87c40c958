"""Successive halving that promotes (Jamieson and Talwalkar, 2016): all run a little, the best few go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

FIRST: Final = 2
"""Epochs of the first rung: after one epoch ranks say little about the end (measured on real learning curves)."""
ETA: Final = 3
"""Each rung is so many times the one before, and one trial in so many goes on."""


def rungs(epochs: int) -> tuple[int, ...]:
    """Epochs at which trials pause: 2, 6, 18, and the last one is the end. A rung close to the end is left out."""
    found = []
    rung = FIRST
    while rung * 1.5 < epochs:
        found.append(rung)
        rung *= ETA
    return (*found, epochs)


def cost(count: int, epochs: int) -> float:
    """Epochs that a bracket of `count` trials takes, were none of them to stop by itself."""
    total, before = 0.0, 0
    for rung in rungs(epochs):
        total += count * (rung - before)
        before, count = rung, max(1, count // ETA)
    return total


class Bracket:
    """Some trials, rung by rung. It says which may run; whoever runs them tells how far they came.

    Args:
        one_in: of so many trials one goes on.
    """

    def __init__(self, family: str, numbers: Sequence[int], epochs: int, one_in: int = ETA) -> None:
        self.family, self.one_in = family, one_in
        self.numbers = tuple(numbers)
        self.rungs = rungs(epochs)
        self.level = self._after(-1, len(numbers))
        self.waiting = list(numbers)
        self.running: set[int] = set()
        self.arrived: list[int] = []
        self.done = False

    @property
    def until(self) -> int:
        """Epoch of the present rung; 0 for the last one: its trials run to their own end."""
        return 0 if self.level == len(self.rungs) - 1 else self.rungs[self.level]

    def take(self) -> int | None:
        """A trial that may run now."""
        if not self.waiting:
            return None
        number = self.waiting.pop(0)
        self.running.add(number)
        return number

    def arrive(self, number: int, *, able: bool) -> None:
        """A trial has reached the rung, or has ended there by itself or by a failure."""
        if number in self.running:
            self.running.discard(number)
            if able:
                self.arrived.append(number)

    def promote(self, value: Mapping[int, float]) -> list[int]:
        """When all have arrived: go to the next rung with the best; gives those that do not go on.

        Args:
            value: score of each trial, larger is better.
        """
        if self.done or self.waiting or self.running:
            return []
        if not self.arrived or self.level == len(self.rungs) - 1:
            self.done = True
            return []
        ranked = sorted(self.arrived, key=lambda number: (-value[number], number))
        kept = max(1, len(ranked) // self.one_in)
        self.level = self._after(self.level, kept)
        self.waiting, self.arrived = ranked[:kept], []
        return ranked[kept:]

    def _after(self, level: int, count: int) -> int:
        """The next rung of so many trials; a single one runs to its end, since nothing is left to compare it with."""
        return level + 1 if count > 1 else len(self.rungs) - 1
