"""The scheduler `halving` against workers that need no time: who runs whole, who pauses, and who goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from autoft.recipe import Recipe
from autoft.records import EpochReport, ModelCard, TrialResult
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.halved import ROUND, Halved
from autoft.search.listed import ListedSearch
from autoft.search.strategy import Facts

CARD = ModelCard(name="m/net", backend="b", modality="image")
PLAIN = {"augment": "none", "mixup": 0.0, "cutmix": 0.0, "dropout": 0.0, "head_width": 0, "batch_size": 16}


class Told(ListedSearch):
    """Remembers of which trials it was told."""

    def __init__(self, rows: Sequence[dict[str, Any]], space: spaces.Space) -> None:
        super().__init__(rows, space)
        self.told: list[int] = []

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        self.told.append(number)


class Bench:
    """Carries out orders one piece after another; the score of a trial is its learning rate times its epochs."""

    def __init__(self, *rows: dict[str, Any], mode: Any = "max", workers: int = 2, together: int = 0, **facts: Any):
        space = default_space([CARD], {CARD.name: (96,)}, "balanced", 500)
        plain = {"featured": frozenset({CARD.name}), "epochs": 20, "trials": 0}
        self.mode = mode
        searcher = Told([{**PLAIN, **row} for row in rows], space)
        self.told = searcher.told
        self.strategy = Halved(
            Facts(space=space, mode=mode, seed=0, workers=workers, deadline=lambda: 0.0, **{**plain, **facts}),
            searcher,
            together or len(rows),
        )
        self.params: dict[int, dict[str, Any]] = {}
        self.epochs: dict[int, int] = {}
        self.works: list[list[int]] = []
        self.stopped: dict[int, str] = {}
        self.failing: set[int] = set()
        self.seconds = 10.0
        """Of an epoch."""

    def run(self) -> Bench:
        while (work := self.strategy.next()) is not None:
            self.works.append([order.number for order in work.orders])
            for order in work.orders:
                if order.params is not None:
                    assert order.number not in self.params, "begun twice"
                    self.params[order.number] = order.params
                self._carry_out(order.number, order.until)
            for closed in self.strategy.closed():
                self.stopped[closed.number] = closed.reason
                self._end(closed.number)
        return self

    def _carry_out(self, number: int, until: int) -> None:
        if number in self.failing:
            self._end(number, failed=True)
            return
        for epoch in range(self.epochs.get(number, 0) + 1, (until or 20) + 1):
            self.epochs[number] = epoch
            score = self.params[number]["lr"] * (1 if self.mode == "max" else -1)
            report = EpochReport(epoch=epoch, score=score, metrics={}, train_loss=1.0, seconds=epoch * self.seconds)
            self.strategy.reported(number, report)
        if until and until < 20:
            self.strategy.paused(number)
        else:
            self._end(number)

    def _end(self, number: int, *, failed: bool = False) -> None:
        self.strategy.ended(
            TrialResult(
                number=number,
                status="failed" if failed else "finished",
                model=CARD.name,
                backend="b",
                recipe=Recipe(),
                score=None if failed else self.params[number]["lr"],
                metrics={},
                best_epoch=1,
                epochs=self.epochs.get(number, 0),
                seconds=1.0,
                reason="",
            )
        )


def rates(count: int, **more: Any) -> Sequence[dict[str, Any]]:
    """Configurations of which each is better than the one before."""
    return [{"freeze": 0.5, "lr": 1e-4 * (1 + number), **more} for number in range(count)]


@pytest.mark.parametrize("mode", ["max", "min"])
def test_the_best_third_goes_on(mode):
    bench = Bench(*rates(10), mode=mode).run()
    assert bench.epochs[0] == 20, "the first one runs to its end: the others are measured against it"
    assert {n: bench.epochs[n] for n in range(1, 10)} == {**dict.fromkeys(range(1, 7), 2), 7: 6, 8: 6, 9: 20}
    assert bench.stopped[1] == "not among the best third after 2 epochs"
    assert bench.stopped[8] == "not among the best third after 6 epochs"
    assert sorted(bench.told) == list(range(10)), "the searcher hears of each once"
    assert bench.strategy.over() == "there is nothing left to try"


def test_of_many_the_best_quarter_goes_on():
    bench = Bench(*rates(41)).run()
    ends = sorted(bench.epochs[n] for n in range(1, 41))
    assert (ends.count(2), ends.count(6), ends.count(20)) == (30, 8, 2)
    assert bench.stopped[1] == "not among the best quarter after 2 epochs"


def test_heads_on_shared_features_run_whole_and_together():
    heads = [{"freeze": 1.0, "lr": 1e-3 * (1 + n), "dropout": 0.1 * (n % 2)} for n in range(6)]
    bench = Bench(*heads, {"freeze": 0.5, "lr": 1e-3}).run()
    assert bench.works == [[0, 2, 4], [1, 3, 5], [6]], "those that have what a bank has in common, then the others"
    assert set(bench.epochs.values()) == {20}


@pytest.mark.parametrize(
    ("row", "facts"),
    [
        ({}, {"featured": frozenset()}),
        ({"augment": "light"}, {}),
        ({"mixup": 0.2}, {}),
        ({"freeze": 0.75}, {}),
    ],
)
def test_what_is_dear_is_halved(row, facts):
    bench = Bench(*[{"freeze": 1.0, "lr": 1e-3 * (1 + n), **row} for n in range(4)], **facts).run()
    assert sorted(bench.epochs.values()) == [2, 2, 20, 20]


def test_many_heads_are_divided_among_workers():
    bench = Bench(*[{"freeze": 1.0, "lr": 1e-3 * (1 + n)} for n in range(20)]).run()
    assert [len(work) for work in bench.works] == [10, 10]


def test_the_dear_ones_come_first():
    bench = Bench({"freeze": 1.0, "lr": 1.0}, *({"freeze": f, "lr": 1e-3} for f in (0.75, 0.0, 0.5))).run()
    assert bench.works[:4] == [[0], [2], [3], [1]]


def test_rounds_follow_each_other_while_there_are_proposals():
    bench = Bench(*rates(8), together=4).run()
    assert set(bench.works[0]) == {0} and bench.epochs[7] == 20 and bench.epochs[3] == 20
    assert len(bench.params) == 8


def test_the_number_of_trials_is_kept():
    bench = Bench(*rates(8), together=ROUND, trials=5).run()
    assert len(bench.params) == 5
    assert bench.strategy.over() == "all trials are done"


def test_those_that_fail_are_not_waited_for():
    bench = Bench(*rates(7))
    bench.failing = {5, 6}
    assert bench.run().epochs[4] == 20


def test_cheap_ones_are_handed_out_several_at_a_time():
    bench = Bench(*rates(13), workers=2)
    bench.seconds = 0.01
    bench.run()
    assert max(len(work) for work in bench.works) > 1
    assert max(len(work) for work in bench.works) <= 6, "the other worker has something to do as well"


def test_configurations_are_complete():
    space = default_space([CARD], {CARD.name: (96,)}, "balanced", 500)
    asked = ListedSearch([{"lr": 0.5, "freeze": 1}], space)
    assert asked.ask(0) == {**spaces.baseline(space), "lr": 0.5, "freeze": 1.0}
    assert asked.ask(1) is None
