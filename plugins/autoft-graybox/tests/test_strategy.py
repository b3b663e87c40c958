"""The strategy on a simulated machine, beyond what the contract asks."""

from __future__ import annotations

import math

import pytest

from autoft.api import EpochReport, Facts, Order, Recipe, TrialResult, baseline
from autoft.testing.machine import EPOCHS, SPACE, Machine
from autoft_graybox import strategy
from autoft_graybox.strategy import GrayBox


def facts(**options: object) -> Facts:
    plain = {"space": SPACE, "mode": "max", "seed": 0, "epochs": EPOCHS, "workers": 1, "deadline": lambda: 0.0}
    return Facts(**{**plain, **options})  # type: ignore[arg-type]


def report(epoch: int, score: float, seconds: float = 1.0, build: float = 0.0) -> EpochReport:
    return EpochReport(
        epoch=epoch, score=score, metrics={}, train_loss=1.0, seconds=build + seconds * epoch, build_seconds=build
    )


def test_most_trials_are_left_early_and_good_ones_finished() -> None:
    machine = Machine(GrayBox(), seconds=1500.0).run()
    lengths = {number: len(rows) for number, rows in machine.history.items()}
    best = max(machine.history, key=lambda n: max(row.score for row in machine.history[n]))
    assert lengths[best] == EPOCHS
    assert sum(length < EPOCHS for length in lengths.values()) > len(lengths) / 2
    assert machine.best() > max(row.score for row in machine.history[0])


def test_the_pool_is_filled_up_and_weak_ones_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy, "STALE", 1000)
    monkeypatch.setattr(strategy, "ROUND", 3)
    machine = Machine(GrayBox(), seconds=600.0).run()
    assert len(machine.params) > strategy.POOL, "more were tried than one pool holds"
    assert any("not among the best" in why for why in machine.reasons.values())


def test_it_gives_up_when_nothing_becomes_better() -> None:
    machine = Machine(GrayBox(), seconds=1e9, ceiling=0.3).run()
    assert "no better score" in machine.strategy.over()
    assert "paused" not in machine.status.values(), "what pauses is closed, with the reason"


def test_a_piece_of_work_is_worth_its_beginning() -> None:
    running = GrayBox().start(facts())
    first = running.next()
    assert first is not None and first.orders == (Order(0, baseline(SPACE), 0),)
    running.reported(0, report(1, 0.5, seconds=1.0, build=3.0))
    second = running.next()
    assert second is not None
    assert second.orders[0].until == 3, "building takes as long as three epochs"


def test_reports_of_a_lost_attempt_count_once() -> None:
    running = GrayBox().start(facts())
    running.next()
    for epoch in (1, 2, 1, 2, 3):
        running.reported(0, report(epoch, epoch / 10))
    trial = running._begun[0]
    assert trial.scores == [0.1, 0.2, 0.3]
    assert trial.seconds == pytest.approx([1.0, 1.0, 1.0])


def test_a_failed_trial_is_not_the_best() -> None:
    running = GrayBox().start(facts(perfect=1.0))
    running.next()
    running.reported(0, report(1, 0.9))
    running.ended(TrialResult(number=0, status="failed", model="m", backend="b", recipe=Recipe()))
    assert running._best(running._begun[0]) == -math.inf
    assert running.next() is not None
