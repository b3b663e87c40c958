"""Successive halving that promotes (Jamieson and Talwalkar, 2016): all run a little, the best few go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from autoft.records import EpochReport

FIRST: Final = 2
"""Epochs of the first rung: after one epoch ranks say little about the end (measured on real learning curves)."""
ETA: Final = 3
"""Each rung is so many times the one before, and one trial in so many goes on."""

CHANCE: Final = 0.05
"""Part of the way from the score of a model without knowledge to the best one that may be chance: a network for speech
that is still silent says a right letter now and then (measured: error rates of .985 to 1)."""


def rungs(epochs: int, first: int = FIRST) -> tuple[int, ...]:
    """Epochs at which trials pause: 2, 6, 18, and the last one is the end. A rung close to the end is left out."""
    found = []
    rung = first
    while rung * 1.5 < epochs:
        found.append(rung)
        rung *= ETA
    return (*found, epochs)


def cost(count: int, epochs: int, first: int = FIRST) -> float:
    """Epochs that a bracket of `count` trials takes, were none of them to stop by itself."""
    total, before = 0.0, 0
    for rung in rungs(epochs, first):
        total += count * (rung - before)
        before, count = rung, max(1, count // ETA)
    return total


class Ranks:
    """How far each trial has come, and from which epoch on this tells trials apart.

    Networks that have learned nothing yet have the same score, and others near it by chance. A network for speech says
    nothing at all for its first hundreds of steps, however good it becomes. Such scores count as equal, and the loss
    on the training part decides between equals.
    """

    def __init__(self, sign: float, blank: float | None = None, perfect: float | None = None) -> None:
        """`sign` turns scores so that larger is better; `blank` is that of a model without knowledge, and `perfect` the
        best one, where they are known."""
        self.sign = sign
        self.blank = -float("inf")
        """Scores up to this one say nothing."""
        if blank is not None:
            self.blank = sign * (blank + (0.0 if perfect is None else CHANCE * (perfect - blank)))
        self.best: dict[int, float] = {}
        """Best score of each trial, turned."""
        self.losses: dict[int, float] = {}
        """Of the last epoch, on the training part."""
        self.first = FIRST
        """Epoch of the first rung: not before the default recipe, trial 0, has learned what a score can show."""

    def saw(self, number: int, report: EpochReport) -> None:
        before = self.best.get(number, -float("inf"))
        self.best[number] = max(self.sign * report.score, before)
        self.losses[number] = report.train_loss
        if number == 0 and before <= self.blank:
            self.first = max(FIRST, report.epoch + (self.best[0] <= self.blank))

    def forget(self, number: int) -> None:
        """A trial that has failed has no score."""
        self.best.pop(number, None)

    def cost(self, count: int, epochs: int) -> float:
        """As `cost`, with the first rung where it stands by now."""
        return cost(count, epochs, self.first)

    def key(self, number: int) -> tuple[float, float, int]:
        """The best trials have the smallest."""
        return (-max(self.best[number], self.blank), self.losses[number], number)


class Bracket:
    """Some trials, rung by rung. It says which may run; whoever runs them tells how far they came.

    Args:
        first: epochs of the first rung.
        one_in: of so many trials one goes on.
    """

    def __init__(self, family: str, numbers: Sequence[int], epochs: int, first: int = FIRST, one_in: int = ETA) -> None:
        self.family, self.one_in = family, one_in
        self.numbers = tuple(numbers)
        self.rungs = rungs(epochs, first)
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

    def promote(self, key: Callable[[int], Any]) -> list[int]:
        """When all have arrived: go to the next rung with the best; gives those that do not go on.

        Args:
            key: of a trial, such as `Ranks.key`; the best have the smallest.
        """
        if self.done or self.waiting or self.running:
            return []
        if not self.arrived or self.level == len(self.rungs) - 1:
            self.done = True
            return []
        ranked = sorted(self.arrived, key=key)
        kept = max(1, len(ranked) // self.one_in)
        self.level = self._after(self.level, kept)
        self.waiting, self.arrived = ranked[:kept], []
        return ranked[kept:]

    def _after(self, level: int, count: int) -> int:
        """The next rung of so many trials; a single one runs to its end, since nothing is left to compare it with."""
        return level + 1 if count > 1 else len(self.rungs) - 1
