"""Trials that go on from the model of another one: which, from which, and when not. On the machine of `test_auto`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from autoft.recipe import Recipe
from autoft.records import EpochReport, TrialResult
from autoft.search import starts
from autoft.search.auto import AGAIN
from tests.search.test_auto import CARDS, Machine

ALONE: dict[str, Any] = {"sharing": frozenset(), "featured": frozenset(), "solvable": False}
"""What a search for boxes or masks is told."""


def result(number: int, score: float, planned: int = 0, **recipe: Any) -> TrialResult:
    report = EpochReport(epoch=1, score=score, metrics={}, train_loss=1.0, seconds=1.0, planned=planned)
    return TrialResult(
        number=number,
        status="finished",
        model="m/one",
        backend="b",
        recipe=Recipe(model="m/one", **recipe),
        score=score,
        folder=f"t{number}",
        history=(report,),
    )


def test_where_time_is_short_trials_go_on_from_the_best_that_has_ended() -> None:
    machine = Machine(1, 150.0, continues=True, **ALONE)
    machine.baseline_epochs = 8
    machine.run()
    later = [number for number in machine.starts if number]
    assert later and {machine.starts[number] for number in later} - {-1}
    for number in later:
        start = machine.starts[number]
        if start < 0:
            continue
        assert machine.status[start] in ("finished", "stopped"), "its model is the one that is kept"
        assert machine.params[start]["model"] == machine.params[number]["model"]
        assert machine.params[start]["image_size"] == machine.params[number]["image_size"]
    first = max(report.score for report in machine.history[0])
    best = max(machine.history, key=lambda number: max(report.score for report in machine.history[number]))
    assert machine.starts[best] >= 0 and machine.best() > first


def test_when_a_short_trial_0_has_ended_its_first_round_goes_on_from_it() -> None:
    """What has not begun takes up its model, what began anew and is behind makes room, and no number is lost."""
    machine = Machine(2, 150.0, continues=True, **ALONE)
    strategy = machine.strategy
    first = strategy.next()
    assert first is not None and strategy.next()
    for epoch in (1, 2):
        strategy.reported(1, EpochReport(epoch=epoch, score=0.2, metrics={}, train_loss=1.0, seconds=10.0 * epoch))
    strategy.paused(1)
    (other,) = strategy.next().orders  # a second one of its round
    strategy.reported(0, EpochReport(epoch=6, score=0.5, metrics={}, train_loss=1.0, seconds=60.0, planned=6))
    strategy.ended(_ended(first, 0.5, planned=6))
    (bracket,) = strategy.brackets
    unlike = [n for n in bracket.numbers if strategy.known[n].params["model"] != first.orders[0].params["model"]]
    assert [closed.number for closed in strategy.closed()] == [n for n in (1,) if n not in unlike]
    begun = {order.number: order.start for _ in range(2) for order in strategy.next().orders}
    assert begun and not {1, other.number} & begun.keys()
    assert all(start == (-1 if number in unlike else 0) for number, start in begun.items())


@pytest.mark.parametrize("seed", range(4))
def test_other_networks_are_tried_however_short_trial_0_is(seed: int) -> None:
    machine = Machine(2, 400.0, continues=True, seed=seed, **ALONE)
    machine.baseline_epochs = 6
    machine.run()
    assert {machine.params[number]["model"] for number in machine.history} == {card.name for card in CARDS}


@pytest.mark.parametrize("trials", [4, 10])
def test_as_many_trials_as_are_allowed_begin(trials: int) -> None:
    machine = Machine(2, 1200.0, continues=True, trials=trials, **ALONE)
    machine.baseline_epochs = 10
    machine.run()
    assert len(machine.history) >= trials - 1


def test_none_goes_on_where_heads_can_be_solved_or_folds_are_several() -> None:
    machine = Machine(2, 600.0, **ALONE)
    machine.run()
    assert set(machine.starts.values()) == {-1}


def test_where_time_is_long_every_second_round_begins_anew() -> None:
    machine = Machine(2, 1500.0, continues=True, **ALONE)
    machine.run()
    rounds = [[machine.starts[n] >= 0 for n in bracket_numbers] for bracket_numbers in _numbers(machine)]
    assert any(all(one) for one in rounds) and any(not any(one) for one in rounds)


def test_a_trial_that_began_with_another_one_is_not_run_again_on_other_divisions() -> None:
    machine = Machine(1, 300.0, continues=True, **ALONE)
    machine.baseline_epochs = 8
    machine.run()
    best = max(machine.strategy.ranks.best, key=lambda number: machine.strategy.ranks.best[number])
    assert machine.starts[best] >= 0
    assert AGAIN not in machine.families() and machine.strategy.chosen() is None


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"model": "m/one", "image_size": 96}, 1),
        ({"model": "m/one", "image_size": 128}, 2),
        ({"model": "m/other", "image_size": 96}, -1),
        ({"model": "m/one", "image_size": 96, "head_width": 128}, -1),
        ({"model": "m/one", "image_size": 96, "lr": 0.1, "freeze": 0.5}, 1),
    ],
)
def test_only_a_model_that_fits_is_taken(params: dict[str, Any], found: int) -> None:
    some = starts.Starts(able=True)
    some.waiting.add(7)
    known = {1: result(1, 0.5, image_size=96), 2: result(2, 0.4, image_size=128)}
    assert some.begin(7, params, starts.leaders(known, {1: 0.5, 2: 0.4})) == found


def test_models_that_a_run_does_not_keep_are_not_taken() -> None:
    known = {number: result(number, number / 10) for number in range(6)}
    found = starts.leaders(known, {number: number / 10 for number in known})
    assert [one.number for one in found] == [5, 4, 3, 0]


def test_a_trial_takes_the_image_size_of_the_one_that_it_goes_on_from() -> None:
    some = starts.Starts(able=True)
    leader = result(1, 0.5, image_size=96)
    assert some.changed(7, {"model": "m/one", "image_size": 128}, [leader]) == {"model": "m/one", "image_size": 96}
    assert some.changed(8, {"model": "m/other", "image_size": 128}, [leader]) is None
    assert some.waiting == {7}


def test_none_goes_on_from_a_second_run() -> None:
    machine = Machine(2, 600.0)
    machine.run()
    strategy = machine.strategy
    again = next(n for n, known in strategy.known.items() if known.again)
    strategy.ranks.best[again] = 2.0
    assert again not in [leader.number for leader in strategy._leaders()], "it has learned from what validates here"
    assert 0 in [leader.number for leader in strategy._leaders()]


def _ended(work: Any, score: float, planned: int) -> TrialResult:
    (order,) = work.orders
    recipe = Recipe.of(order.params)
    return msgspec.structs.replace(result(order.number, score, planned), model=recipe.model, recipe=recipe)


def _numbers(machine: Machine) -> list[list[int]]:
    """Trials of each round, by the order in which rounds began."""
    return [[n for n in bracket.numbers if n in machine.starts] for bracket in machine.strategy.brackets]
