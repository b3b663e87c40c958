"""The learned strategy as autoft runs it: a pool of configurations, of which the allocator says what runs next."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import median
from typing import Final

from autoft.api import Closed, EpochReport, Facts, Order, Scalar, TrialResult, Work, baseline, draw
from autoft_graybox.allocator import Allocator
from autoft_graybox.curve import Curve
from autoft_graybox.surrogate import Surrogate

POOL: Final = 64
"""Configurations among which the allocator chooses: the number for which it was measured."""
ROUND: Final = 8
"""The pool is filled up again when as much was spent as so many whole trials take."""
KEPT: Final = 16
"""The best of a pool that stay when it is filled up."""
STALE: Final = 2
"""Rounds without a better score after which nothing more is expected."""
ATTEMPTS: Final = 20
"""Draws for each configuration before a finite space counts as exhausted."""


class GrayBox:
    """The `strategy` of this package."""

    def start(self, facts: Facts) -> GrayBoxStrategy:
        return GrayBoxStrategy(facts)


class _Trial:
    """One configuration of the pool. It has a number once it has begun."""

    def __init__(self, params: dict[str, Scalar], epochs: int) -> None:
        self.params = params
        self.number = -1
        self.scores: list[float] = []
        self.seconds: list[float] = []
        self.build = 0.0
        self.planned = epochs
        self.running = False
        self.ended = False
        self._clock = 0.0

    def saw(self, report: EpochReport) -> None:
        del self.scores[report.epoch - 1 :], self.seconds[report.epoch - 1 :]  # after a lost process they come again
        before = self._clock if self.scores else report.build_seconds
        self.build = report.build_seconds or self.build
        self.seconds.append(max(0.0, report.seconds - before))
        self.scores.append(report.score)
        self.planned = report.planned or self.planned
        self._clock = report.seconds

    def curve(self) -> Curve:
        return Curve(self.scores, self.seconds, self.planned, self.ended)


class GrayBoxStrategy:
    """Implements `Strategy`. Trial 0 is the default recipe and runs to its end: the search is measured against it."""

    def __init__(self, facts: Facts, surrogate: Surrogate | None = None) -> None:
        self._facts = facts
        self._allocator = Allocator(facts.mode, facts.seed, facts.epochs, surrogate=surrogate)
        self._generator = random.Random(f"graybox:{facts.seed}")
        self._seen: set[tuple[tuple[str, Scalar], ...]] = set()
        self._begun: dict[int, _Trial] = {}
        self._pool = [self._trial(baseline(facts.space)), *self._drawn(POOL - 1)]
        self._spent = 0
        """Epochs since the pool was filled."""
        self._leading = -math.inf
        self._stale = 0
        self._closed: list[Closed] = []
        self._end = ""

    def next(self) -> Work | None:
        if self._end or self._perfect():
            return None
        if not self._begun:
            return self._work(self._pool[0], 0)
        work = self._promising()
        if work is None and not any(trial.running for trial in self._pool):
            if self._room() and self._fill():
                return self._promising()
            self._finish("every configuration has been tried" if self._room() else "all trials are done")
        return work

    def over(self) -> str:
        if not self._end and self._perfect() and self._begun[0].ended:
            self._finish("the validation score cannot become better")
        return self._end

    def reported(self, number: int, report: EpochReport) -> None:
        self._begun[number].saw(report)
        self._spent += 1

    def paused(self, number: int) -> None:
        trial = self._begun[number]
        trial.running = False
        if self._end:
            self._close(trial, self._end)
        self._count()

    def ended(self, result: TrialResult) -> None:
        trial = self._begun[result.number]
        trial.running, trial.ended = False, True
        if result.status == "failed":
            trial.scores, trial.seconds = [math.nan], []  # it counts as one that learned nothing
        self._count()

    def closed(self) -> Sequence[Closed]:
        taken, self._closed = self._closed, []
        return taken

    def chosen(self) -> int | None:
        return None

    # ---- which one ------------------------------------------------------------------------------------

    def _promising(self) -> Work | None:
        candidates = [trial.params for trial in self._pool]
        observed = {place: trial.curve() for place, trial in enumerate(self._pool) if trial.number >= 0}
        room = self._room()
        busy = {n for n, trial in enumerate(self._pool) if trial.running or (trial.number < 0 and not room)}
        left = self._facts.deadline() - self._facts.clock() if self._facts.deadline() else math.inf
        place = self._allocator.closing(observed, candidates, busy, left)
        if place is not None:
            return self._work(self._pool[place], 0)
        place = self._allocator.suggest(observed, candidates, busy)
        if place is None:
            return None
        trial = self._pool[place]
        until = len(trial.scores) + max(self._allocator.rung(trial.curve()), self._worthwhile(trial))
        return self._work(trial, until if until < trial.planned else 0)

    def _worthwhile(self, trial: _Trial) -> int:
        """Epochs that take as long as it takes to build the network once more: fewer would be mostly building."""
        measured = [trial] if trial.seconds else [other for other in self._pool if other.seconds]
        if not measured:
            return 1
        build = median(other.build for other in measured)
        epoch = median(median(other.seconds) for other in measured)
        return math.ceil(build / epoch) if epoch > 0 else 1

    def _work(self, trial: _Trial, until: int) -> Work:
        first = trial.number < 0
        if first:
            trial.number = len(self._begun)
            self._begun[trial.number] = trial
        trial.running = True
        return Work((Order(trial.number, dict(trial.params) if first else None, until),))

    def _room(self) -> bool:
        """Whether further trials may begin."""
        return not self._facts.trials or len(self._begun) < self._facts.trials

    # ---- the pool -------------------------------------------------------------------------------------

    def _count(self) -> None:
        """Fill the pool when its time is over; give up when that has not helped for a while."""
        if self._end or self._spent < ROUND * self._facts.epochs or not self._room():
            return
        best = max(self._best(trial) for trial in self._pool)
        self._stale = 0 if best > self._leading else self._stale + 1
        self._leading = max(best, self._leading)
        if self._stale < STALE:
            self._fill()
        else:
            self._finish(f"no better score in {STALE * ROUND} times the epochs of a whole trial")

    def _finish(self, reason: str) -> None:
        self._end = reason
        for trial in self._begun.values():
            if not trial.running and not trial.ended:
                self._close(trial, reason)

    def _close(self, trial: _Trial, reason: str) -> None:
        trial.ended = True
        self._closed.append(Closed(trial.number, reason))

    def _fill(self) -> bool:
        """Put new configurations in the place of those that have not begun and of weak ones. False: there are none."""
        ranked = sorted((t for t in self._pool if t.number >= 0 and not t.running), key=self._best, reverse=True)
        for trial in ranked[KEPT:]:
            if not trial.ended:
                self._close(trial, f"not among the best {KEPT} of {len(self._pool)}")
        kept = [*ranked[:KEPT], *(trial for trial in self._pool if trial.running)]
        fresh = self._drawn(POOL - len(kept))
        self._pool, self._spent = [*kept, *fresh], 0
        return bool(fresh)

    def _trial(self, params: dict[str, Scalar]) -> _Trial:
        self._seen.add(tuple(params.items()))
        return _Trial(params, int(params.get("epochs") or self._facts.epochs))

    def _drawn(self, count: int) -> list[_Trial]:
        """Configurations that were not drawn before; fewer where the space seems to hold no more."""
        found: list[_Trial] = []
        for _ in range(count * ATTEMPTS):
            params = draw(self._facts.space, self._generator)
            if tuple(params.items()) not in self._seen:
                found.append(self._trial(params))
            if len(found) == count:
                break
        return found

    def _best(self, trial: _Trial) -> float:
        """Its best score, turned so that larger is better."""
        sign = 1.0 if self._facts.mode == "max" else -1.0
        return max((sign * score for score in trial.scores if math.isfinite(score)), default=-math.inf)

    def _perfect(self) -> bool:
        if self._facts.perfect is None:
            return False
        goal = self._facts.perfect if self._facts.mode == "max" else -self._facts.perfect
        return any(self._best(trial) >= goal for trial in self._pool)
