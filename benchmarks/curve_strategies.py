"""Strategies that `benchmarks/curves.py` compares: each is shown an epoch of a recorded curve when it pays for it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from autoft_graybox.allocator import Allocator
from autoft_graybox.curve import Array, Curve
from autoft_graybox.prior import Prior
from autoft_graybox.surrogate import Surrogate
from autoft_graybox.table import EPOCHS, Table


class Draw(NamedTuple):
    """Configurations of one data set, in the order in which a strategy without opinions starts them."""

    table: Table
    chosen: Array
    seed: int
    surrogate: Surrogate

    @property
    def length(self) -> Array:
        length: Array = self.table.length[self.chosen]
        return length

    def curve(self, place: int, epochs: int) -> Curve:
        row = self.chosen[place]
        return Curve(
            scores=self.table.scores[row, :epochs],
            seconds=self.table.seconds[row, :epochs],
            planned=int(self.table.planned[row]),
            ended=epochs >= self.table.length[row],
        )


Trace = list[int]
"""The configuration trained in each epoch, in the order in which epochs end."""
Strategy = Callable[[Draw, int], Trace]


def run_all(draw: Draw, workers: int) -> Trace:
    """Random search without stopping: one after the other, to the end."""
    return [place for place, length in enumerate(draw.length) for _ in range(length)]


def asynchronous(
    draw: Draw, workers: int, ask: Callable[[set[int]], tuple[int, int] | None], tell: Callable[[int, int], int]
) -> Trace:
    """Workers in simulated time. `ask` gives a configuration and the epoch to run it to; `tell`, after each of its
    epochs, where it should now stop."""
    trace: Trace = []
    used = np.zeros(len(draw.chosen), int)
    goals: dict[int, int] = {}
    clock: list[tuple[float, int]] = []

    def begin(now: float) -> None:
        asked = ask(set(goals))
        if asked is not None:
            place, goals[place] = asked
            heapq.heappush(clock, (now + draw.table.seconds[draw.chosen[place], used[place]], place))

    for _ in range(workers):
        begin(0.0)
    while clock:
        now, place = heapq.heappop(clock)
        used[place] += 1
        trace.append(place)
        goals[place] = tell(place, int(used[place]))
        if used[place] < min(goals[place], draw.length[place]):
            heapq.heappush(clock, (now + draw.table.seconds[draw.chosen[place], used[place]], place))
        else:
            del goals[place]
            begin(now)
    return trace


@cache
def asha(factor: int, grace: int) -> Strategy:
    """Ray Tune's `ASHAScheduler`: trials start in order and stop at a rung where they are below the top 1 / factor."""

    def run(draw: Draw, workers: int) -> Trace:
        waiting = iter(range(len(draw.chosen)))
        rungs: dict[int, list[float]] = {}
        rung = grace
        while rung < EPOCHS:
            rungs[rung] = []
            rung *= factor

        def ask(running: set[int]) -> tuple[int, int] | None:
            place = next(waiting, None)
            return None if place is None else (place, EPOCHS)

        def tell(place: int, used: int) -> int:
            if used not in rungs:
                return EPOCHS
            score = float(draw.table.scores[draw.chosen[place], used - 1])
            recorded = rungs[used]
            worse = bool(recorded) and score < np.percentile(recorded, (1 - 1 / factor) * 100)
            recorded.append(score)
            return used if worse else EPOCHS

        return asynchronous(draw, workers, ask, tell)

    return run


@cache
def halving(factor: int, first: int) -> Strategy:
    """Synchronous successive halving: the best 1 / factor of each rung go on together."""

    def run(draw: Draw, workers: int) -> Trace:
        trace: Trace = []
        alive, done, rung = np.arange(len(draw.chosen)), 0, first
        top = np.maximum.accumulate(draw.table.scores[draw.chosen], 1)
        while True:
            trace += [int(n) for n in alive for _ in range(min(rung, draw.length[n]) - min(done, draw.length[n]))]
            if rung == EPOCHS:
                return trace
            best = np.argsort(-top[alive, rung - 1], kind="stable")
            alive, done, rung = alive[best[: max(1, len(alive) // factor)]], rung, min(EPOCHS, rung * factor)

    return run


MOST: Final = 13 * EPOCHS
"""Epochs after which strategies that never end by themselves stop: no budget that is reported is larger."""


def graybox(cost: str, prior: bool = True) -> Strategy:
    """The learned strategy. Without its prior, past runs say how curves go on, but nothing of configurations."""

    def run(draw: Draw, workers: int) -> Trace:
        surrogate = draw.surrogate if prior else draw.surrogate._replace(prior=_ignorant(draw.surrogate.prior))
        allocator = Allocator("max", draw.seed, EPOCHS, "epochs" if cost == "epochs" else "seconds", surrogate)
        candidates = [draw.table.configurations[row] for row in draw.chosen]
        observed: dict[int, Curve] = {}
        goals: dict[int, int] = {}
        left = [MOST]

        def ask(running: set[int]) -> tuple[int, int] | None:
            place = allocator.suggest(observed, candidates, running) if left[0] > 0 else None
            if place is None:
                return None
            curve = observed.get(place)
            goals[place] = (len(curve.scores) if curve else 0) + allocator.rung(curve)
            left[0] -= allocator.rung(curve)
            return place, goals[place]

        def tell(place: int, used: int) -> int:
            observed[place] = draw.curve(place, used)
            return goals[place]

        return asynchronous(draw, workers, ask, tell)

    return run


def _ignorant(prior: Prior) -> Prior:
    return Prior((), np.zeros_like(prior.known), np.zeros_like(prior.unknown))
