"""`Machine`: workers in simulated seconds and networks whose scores are made up, for strategies to be tried on."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from autoft.recipe import Recipe
from autoft.records import EpochReport, Mode, Param, TrialResult, TrialStatus
from autoft.search.strategy import Facts, Order, Strategy, StrategyPlugin, Work

EPOCHS: Final = 9
SPACE: Final = (
    Param(key="model", choices=("toy/good", "toy/poor"), default="toy/good"),
    Param(key="freeze", choices=(0.0, 0.5, 1.0), default=0.5),
    Param(key="optimizer", choices=("adamw", "sgd"), default="adamw"),
    Param(key="lr", kind="float", low=1e-5, high=1e-1, log=True, default=1e-3),
    Param(key="momentum", choices=(0.0, 0.9), default=0.9, when={"optimizer": ("sgd",)}),
    Param(key="epochs", choices=(EPOCHS,), default=EPOCHS),
)
BUILD: Final = 0.5
"""Simulated seconds until a trial begins or goes on."""


class Machine:
    """Does what a strategy wants done and checks each order. Trials of networks in `failing` fail at once."""

    def __init__(
        self,
        plugin: StrategyPlugin,
        *,
        workers: int = 2,
        seconds: float = 600.0,
        space: tuple[Param, ...] = SPACE,
        mode: Mode = "max",
        ceiling: float = 0.95,
        failing: frozenset[str] = frozenset(),
        **facts: Any,
    ) -> None:
        self.now = 0.0
        self.workers, self.seconds, self.mode = workers, seconds, mode
        self.ceiling, self.failing = ceiling, failing
        self.orders: list[Order] = []
        self.params: dict[int, dict[str, Any]] = {}
        self.history: dict[int, list[EpochReport]] = {}
        self.status: dict[int, str] = {}
        self.reasons: dict[int, str] = {}
        self.strategy: Strategy = plugin.start(
            Facts(
                **{
                    "space": space,
                    "mode": mode,
                    "seed": 0,
                    "epochs": EPOCHS,
                    "workers": workers,
                    "deadline": lambda: seconds,
                    "clock": lambda: self.now,
                    "perfect": 1.0 if mode == "max" else 0.0,
                    **facts,
                }
            )
        )

    def run(self) -> Machine:
        """Until the strategy is over or the time is."""
        running: list[_Running] = []
        for tick in range(100_000):
            while len(running) < self.workers and not self.strategy.over():
                work = self.strategy.next()
                if work is None:
                    break
                heapq.heappush(running, _Running(self.now + self._begin(work), tick * 100 + len(running), work))
            self._close()
            if not running:
                assert self.strategy.over(), "no worker has anything to do, but the strategy is not over"
                return self
            self.now, _, work = heapq.heappop(running)
            if self.now > self.seconds:
                return self
            for order in work.orders:
                self._do(order)
            self._close()
        raise AssertionError("the strategy does not end")

    def best(self) -> float:
        scores = [report.score for n, rows in self.history.items() if self.status[n] != "failed" for report in rows]
        return max(scores) if self.mode == "max" else min(scores)

    def score(self, params: Mapping[str, Any], epoch: int) -> float:
        """Validation score: a good network near lr=1e-3, half frozen, comes closest to the ceiling."""
        noise = random.Random(repr(sorted(params.items()))).uniform(0, 0.05)
        off = 0.12 * abs(math.log10(float(params["lr"])) + 3) + 0.1 * abs(float(params["freeze"]) - 0.5)
        worth = max(0.05, self.ceiling - off - noise - (0.2 if params["model"] == "toy/poor" else 0.0))
        reached = worth * (1 - math.exp(-epoch / 2)) if self.ceiling < 1 else 1.0
        return reached if self.mode == "max" else 1 - reached

    def _begin(self, work: Work) -> float:
        """Simulated seconds that the work will take."""
        assert work.orders, "a piece of work has at least one order"
        total = 0.0
        for order in work.orders:
            number = order.number
            if order.params is not None:
                assert number not in self.params, f"trial {number} begins twice"
                self.params[number] = dict(order.params)
            else:
                assert self.status.get(number) == "paused", f"trial {number} cannot go on: {self.status.get(number)}"
            self.status[number] = "running"
            self.orders.append(order)
            total += BUILD + self._epochs(order) * self._seconds(self.params[number])
        return total

    def _seconds(self, params: Mapping[str, Any]) -> float:
        return 4.0 - 3.0 * float(params["freeze"])

    def _epochs(self, order: Order) -> int:
        planned = int(self.params[order.number].get("epochs", EPOCHS))
        left = min(order.until or planned, planned) - len(self.history.get(order.number, []))
        assert left > 0, f"trial {order.number} is to run until epoch {order.until}, where it has been"
        return left

    def _do(self, order: Order) -> None:
        number, params = order.number, self.params[order.number]
        rows = self.history.setdefault(number, [])
        if params["model"] in self.failing:
            self._end(number, "failed")
            return
        for _ in range(self._epochs(order)):
            epoch = len(rows) + 1
            score = self.score(params, epoch)
            rows.append(
                EpochReport(
                    epoch=epoch,
                    score=score,
                    metrics={},
                    train_loss=1.0,
                    seconds=BUILD + epoch * self._seconds(params),
                    build_seconds=BUILD,
                )
            )
            self.strategy.reported(number, rows[-1])
        if len(rows) >= int(params.get("epochs", EPOCHS)):
            self._end(number, "finished")
        else:
            self.status[number] = "paused"
            self.strategy.paused(number)

    def _close(self) -> None:
        for closed in self.strategy.closed():
            assert self.status[closed.number] == "paused", f"trial {closed.number} is closed, but does not pause"
            assert closed.reason, f"trial {closed.number} is closed without a reason"
            self.reasons[closed.number] = closed.reason
            self._end(closed.number, "stopped")

    def _end(self, number: int, status: TrialStatus) -> None:
        self.status[number] = status
        rows = self.history[number]
        scores = [report.score for report in rows]
        self.strategy.ended(
            TrialResult(
                number=number,
                status=status,
                model=str(self.params[number]["model"]),
                backend="toy",
                recipe=Recipe.of(self.params[number]),
                score=(max(scores) if self.mode == "max" else min(scores)) if scores else None,
                epochs=len(rows),
                seconds=rows[-1].seconds if rows else 0.0,
                folder="somewhere" if rows else "",
            )
        )


class _Running(NamedTuple):
    until: float
    order: int
    work: Work
