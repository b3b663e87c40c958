"""What a strategy is: it decides which trials get which epochs next. Knows no scheduler and no process."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from autoft.records import EpochReport, Mode, Param, TrialResult

AT_A_TIME: Final = 1.0
"""Seconds of work for which cheap trials are handed out together."""


class Facts(NamedTuple):
    """What a strategy is told of the search."""

    space: tuple[Param, ...]
    mode: Mode
    seed: int
    epochs: int
    """The most epochs of a trial."""
    workers: int
    deadline: Callable[[], float]
    """Unix time at which trials must have ended, as far as is known by now; 0 for none."""
    sharing: frozenset[str] = frozenset()
    """Networks whose frozen blocks can be computed once for all trials."""
    weak: frozenset[str] = frozenset()
    """Networks of which most must still be learned."""
    solvable: bool = False
    """Whether heads can be solved for this problem."""
    posed: tuple[str, ...] = ()
    """Formulations whose solved heads differ, that of the default recipe first; none where the space has no choice."""
    trials: int = 0
    """Most trials; 0 is as many as time allows."""
    perfect: float | None = None
    """The best value that the metric can have."""
    blank: float | None = None
    """The metric's value for a model without knowledge, where it is known: such scores tell trials apart by nothing."""
    chance: float | None = None
    """Part of the way from `blank` to `perfect` within which that is so; None where it is `counted.CHANCE`."""
    continues: bool = False
    """Whether trials may begin with another one's model: no head can be solved and nothing be kept of frozen blocks,
    so that each would learn from its beginning what others have learned."""
    parts: tuple[int, int] = (0, 0)
    """Training and validation samples."""
    gpu: bool = False
    """Whether trials have a GPU."""
    clock: Callable[[], float] = time.time
    featured: frozenset[str] = frozenset()
    """Networks whose pooled features can be computed once for all trials, those of `sharing` among them: heads alone
    then cost next to nothing."""
    kept: Callable[[int], bool] = lambda number: True
    """Whether the model of a trial that has ended is there. Few are: see `Keeping`."""


class Order(NamedTuple):
    """Some epochs of one trial."""

    number: int
    params: dict[str, Any] | None
    """Its configuration when it begins; None when it goes on."""
    until: int = 0
    """Epoch after which it pauses; 0 goes on to its end."""
    again: int = 0
    """Above 0 for a configuration that runs once more: added to the seed of the search, and the number of the division
    that it trains and validates on (`TrialSpec.division`)."""
    start: int = -1
    """When it begins: the trial, one that has ended, whose model it begins with; -1 for the network's own weights."""


class Work(NamedTuple):
    """What one worker does in one go: cheap trials come several at a time.

    Orders that stand next to each other, run to their end and differ in nothing but how a linear head on frozen
    features is trained are carried out side by side (`banks.py`).
    """

    orders: tuple[Order, ...]


class Closed(NamedTuple):
    """A paused trial that gets no further epochs, and why."""

    number: int
    reason: str


class Strategy(Protocol):
    """Asked for work whenever a worker is free, told of everything that comes of it."""

    def next(self) -> Work | None:
        """The next piece of work, or None when there is none now; `over` tells whether there will be more."""
        ...

    def over(self) -> str:
        """Why the search is over, or an empty string while it goes on."""
        ...

    def reported(self, number: int, report: EpochReport) -> None: ...

    def paused(self, number: int) -> None:
        """The trial has reached the epoch of its order."""
        ...

    def ended(self, result: TrialResult) -> None: ...

    def closed(self) -> Sequence[Closed]:
        """Paused trials to be closed now; each is named once."""
        ...

    def chosen(self) -> int | None:
        """The trial whose model is the result; None takes the one that is worth most (`ranking.by_worth`)."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """A strategy that may choose another trial than those of the best single scores."""

    def needed(self) -> Collection[int]:
        """Trials whose models may be chosen by now, those that run included. A run keeps them beside its best few."""
        ...


class StrategyPlugin(Protocol):
    """What a `strategy` entry's target gives: makes a strategy for one search. Trial 0 must be the default recipe,
    run to its end: the gain that a search reports is measured against it. (`auto` takes a quicker one where time
    is short: `first.py`.)"""

    def start(self, facts: Facts) -> Strategy: ...
