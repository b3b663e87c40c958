"""Successive halving that promotes (Jamieson and Talwalkar, 2016): all run a little, the best few go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from autoft.counted import CHANCE, selection_score
from autoft.records import EpochReport, Mode

FIRST: Final = 2
"""Epochs of the first rung: after one epoch ranks say little about the end (measured on real learning curves)."""
ETA: Final = 3
"""Each rung is so many times the one before, and one trial in so many goes on."""


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


class _Then(NamedTuple):
    """How a trial stood after an epoch."""

    best: float
    """Its best score by then, turned so that larger is better."""
    mean: float
    """Of its scores by then."""
    loss: float
    """Of that epoch, on the training part."""


class Ranks:
    """How far each trial has come, and from which epoch on this tells trials apart.

    Networks that have learned nothing yet have the same score, and others near it by chance. A network for speech says
    nothing at all for its first hundreds of steps, however good it becomes. Such scores count as equal, and the loss
    on the training part decides between them. Between other equals the mean over all epochs does, since a loss depends
    on how a trial is regularised.
    """

    def __init__(
        self, mode: Mode, blank: float | None = None, perfect: float | None = None, chance: float | None = None
    ) -> None:
        """`blank` is the score of a model without knowledge, and `perfect` the best one, where they are known; `chance`
        is the part of the way between them that does not rank trials. Nobody is stopped for the whole of `CHANCE`: what
        stands in for a metric there tells silence from babble early, and what a network will learn later."""
        self.mode, self.sign = mode, 1.0 if mode == "max" else -1.0
        self.blank = -float("inf")
        """Scores up to this one say nothing."""
        self.silence = -float("inf")
        """Scores up to this one make others wait."""
        if blank is not None:
            way = 0.0 if perfect is None else perfect - blank
            self.blank, self.silence = (
                self.sign * (blank + (CHANCE if chance is None else chance) * way),
                self.sign * (blank + CHANCE * way),
            )
        self.best: dict[int, float] = {}
        """What the epoch of each trial is worth whose score is the best, as its model is kept; of equal ones the last.
        Turned so that larger is better."""
        self.top: dict[int, float] = {}
        """The same, without what counts beside scores."""
        self.course: dict[int, dict[int, _Then]] = {}
        """Trial -> epoch -> how it stood."""
        self.first = FIRST
        """Epoch of the first rung: not before the default recipe, trial 0, has learned what a score can show."""
        self.silent = blank is not None
        """Whether trial 0 goes on without having learned that."""

    def saw(self, number: int, report: EpochReport) -> None:
        before = self.best.get(number, -float("inf"))
        plain = self.sign * selection_score(report.score, report.combined, self.mode)
        score = self.sign * selection_score(report.score, report.combined, self.mode, report.finer)
        if plain >= self.top.get(number, -float("inf")):
            self.top[number], self.best[number] = plain, score
        course = self.course.setdefault(number, {})
        last = next(reversed(course.values()), None)
        total = score + (last.mean * len(course) if last else 0.0)
        course[report.epoch] = _Then(self.best[number], total / (len(course) + 1), report.train_loss)
        if number == 0 and before <= self.silence:
            self.silent = self.best[0] <= self.silence
            self.first = max(FIRST, report.epoch + self.silent)

    def ended(self, number: int, *, failed: bool) -> None:
        """A trial that has failed has no score; when trial 0 has ended, nothing is waited for."""
        if failed:
            self.best.pop(number, None)
            self.top.pop(number, None)
        if number == 0:
            self.silent = False

    def rung(self, until: int) -> int:
        """Where a first rung that stands at this epoch belongs: nobody is stopped while trial 0 is silent."""
        return max(self.first, until + FIRST) if self.silent else self.first

    def epoch(self, number: int) -> int:
        """The last one that was reported of a trial; 0 for none."""
        return max(self.course.get(number, ()), default=0)

    def cost(self, count: int, epochs: int) -> float:
        """As `cost`, with the first rung where it stands by now."""
        return cost(count, epochs, self.first)

    def key(self, number: int, until: int = 0) -> tuple[float, float, int]:
        """The best trials have the smallest. Above 0, `until` is the epoch at which they are compared: what a trial
        became after it does not count."""
        course = self.course[number]
        early = [epoch for epoch in course if not until or epoch <= until]
        then = course[max(early, default=min(course))]
        if then.best <= self.blank:
            return (-self.blank, then.loss, number)
        return (-then.best, -then.mean, number)


class Bracket:
    """Some trials, rung by rung. It says which may run; whoever runs them tells how far they came.

    Args:
        first: epochs of the first rung.
        one_in: of so many trials one goes on.
        rivals: trials that run to their end elsewhere, since that is cheap. They are compared as if they paused as
            well, and hold the places that they win.
    """

    def __init__(
        self,
        family: str,
        numbers: Sequence[int],
        epochs: int,
        first: int = FIRST,
        one_in: int = ETA,
        rivals: Sequence[int] = (),
    ) -> None:
        self.family, self.one_in, self.epochs = family, one_in, epochs
        self.numbers = tuple(numbers)
        self.rungs = rungs(epochs, first)
        self.level = self._after(-1, len(numbers) + len(rivals))
        self.awaited = set(rivals)
        """Rivals that have not come to their end."""
        self.rivals: list[int] = []
        """Rivals that hold a place."""
        self.waiting = list(numbers)
        self.running: set[int] = set()
        self.arrived: list[int] = []
        self.done = False
        self.size = len(numbers) + len(rivals)
        """Its trials; a single one has no rivals."""
        self.behind: Callable[[int], bool] = lambda number: False
        """Who is left behind at a rung, whatever place it has there."""

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

    def arrive(self, number: int, *, able: bool, epoch: int = 0) -> None:
        """A trial has reached the rung, or has ended there by itself or by a failure.

        Args:
            epoch: how far it came, where the rung may have been delayed since it set out; it then goes on to it.
        """
        if number in self.running:
            self.running.discard(number)
            if able:
                short = 0 < epoch < self.until or (epoch > 0 and self.until == 0)
                (self.waiting if short else self.arrived).append(number)

    def delay(self, first: int) -> None:
        """Let the first rung come later, as long as none was promoted from it."""
        if self.level == 0 and self.until and first > self.rungs[0]:
            self.rungs = rungs(self.epochs, first)
            self.waiting, self.arrived = [*self.waiting, *self.arrived], []

    def ended(self, rival: int, *, scored: bool) -> None:
        """A rival has come to its end, with a score or by a failure."""
        if rival in self.awaited:
            self.awaited.discard(rival)
            if scored:
                self.rivals.append(rival)

    def promote(self, key: Callable[[int, int], Any]) -> list[int]:
        """When all have arrived: go to the next rung with the best; gives those that do not go on. Who is `behind` does
        not wait for the others.

        Args:
            key: of a trial at an epoch (0: at its end), such as `Ranks.key`; the best have the smallest.
        """
        left = self._left_behind()
        if self.done or self.waiting or self.running or self.awaited:
            return left
        if not self.arrived or self.level == len(self.rungs) - 1:
            self.done = True
            return left
        until = self.until
        ranked = sorted([*self.arrived, *self.rivals], key=lambda number: key(number, until))
        kept = ranked[: max(1, len(ranked) // self.one_in)]
        self.level = self._after(self.level, len(kept))
        self.waiting = [number for number in kept if number in self.arrived]
        lost = [number for number in ranked if number in self.arrived and number not in kept]
        self.rivals, self.arrived = [number for number in self.rivals if number in kept], []
        self.done = not self.waiting
        return left + lost

    def _left_behind(self) -> list[int]:
        """Of those that do not run."""
        behind = [number for number in (*self.arrived, *self.waiting) if self.behind(number)]
        self.arrived = [number for number in self.arrived if number not in behind]
        self.waiting = [number for number in self.waiting if number not in behind]
        return behind

    def __contains__(self, number: int) -> bool:
        """Whether it is waited for."""
        return number in self.running or number in self.awaited

    def _after(self, level: int, count: int) -> int:
        """The next rung of so many trials; a single one runs to its end, since nothing is left to compare it with."""
        return level + 1 if count > 1 else len(self.rungs) - 1
