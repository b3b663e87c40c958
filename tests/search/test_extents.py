"""What a bracket has time for, by what epochs cost at each depth; single trials where a bracket does not fit."""

from __future__ import annotations

import pytest

from autoft.records import EpochReport
from autoft.search.extents import FEWEST, LEAST, SHORTEST, USEFUL, Extents
from autoft.search.families import BASELINE, PARTIAL, WHOLE, is_shared, price
from tests.search.test_auto import CARDS, Machine, space

SHARING = frozenset(card.name for card in CARDS)


def told(seconds: float, freeze: float = 0.5, weight: float | None = None) -> Machine:
    """Trial 0 has reported an epoch of so many seconds."""
    machine = Machine(2, 1000.0)
    report = EpochReport(epoch=1, score=0.5, metrics={}, train_loss=1.0, seconds=seconds)
    machine.strategy.times.saw(BASELINE, 0, report, price(freeze, shared=False) if weight is None else weight)
    return machine


def test_an_epoch_costs_what_is_left_to_compute() -> None:
    assert price(0.75, shared=True) == 0.25 and price(1.0, shared=True) == 0.15
    assert price(0.75, shared=False) == 0.5 and price(0.0, shared=False) == price(0.0, shared=True) == 1.0
    plain = {"model": "m/strong", "augment": "none", "views": 0, "mixup": 0.0, "cutmix": 0.0}
    assert is_shared(plain, SHARING)
    assert is_shared({**plain, "augment": "light", "views": 4}, SHARING)
    for change in ({"augment": "light"}, {"mixup": 0.2}, {"cutmix": 1.0}, {"model": "m/other"}):
        assert not is_shared({**plain, **change}, SHARING)


def test_what_trial_0_took_tells_what_other_depths_take() -> None:
    extents = told(2.0, freeze=0.0).strategy.extents
    assert extents.epoch_seconds(PARTIAL) == pytest.approx(2.0 * extents.draws[PARTIAL].cost())
    assert extents.epoch_seconds(PARTIAL) < 0.5 * extents.epoch_seconds(WHOLE) <= 1.0 * 2.0
    assert extents.draws[PARTIAL].trained() < 0.6, "most draws are heads"
    assert Machine(2, 1000.0).strategy.extents.epoch_seconds(PARTIAL) == 0.0, "nothing was measured"


def test_whole_networks_need_some_epochs() -> None:
    extents = told(10.0, freeze=0.0).strategy.extents
    each = extents.epoch_seconds(WHOLE) * area_of(extents, WHOLE) / extents.hands(FEWEST)
    cost = extents.ranks.cost
    assert extents.of(WHOLE, cost(FEWEST, SHORTEST) * each * 1.1, FEWEST)[1] == SHORTEST
    assert extents.of(WHOLE, cost(FEWEST, 2) * each * 1.1, FEWEST) == (0, 0)


def test_two_of_three_brackets_of_trials_that_begin_at_a_solved_head_have_a_short_schedule() -> None:
    strategy = Machine(2, 1e5).strategy
    extents = strategy.extents
    assert [extents.planned(n, begun=True) for n in range(4)] == [LEAST, LEAST, 20, LEAST]
    assert extents.planned(0, begun=False) == 20
    assert extents.of(PARTIAL, 1e9, 27, LEAST) == (6, LEAST), "nothing was measured"
    extents.facts = extents.facts._replace(epochs=40)
    assert extents.planned(0, begun=True) == 12
    extents.facts = extents.facts._replace(epochs=11)
    assert extents.planned(0, begun=True) == 11, "as good as the short one"
    extents.facts = extents.facts._replace(epochs=20)
    strategy.ranks.first = 5
    assert extents.planned(0, begun=True) == 20, "scores tell nothing for some epochs"


def test_short_schedules_are_for_what_a_solved_head_begins() -> None:
    machine = Machine(2, 3000.0)
    machine.run()
    brackets = machine.strategy.brackets
    for family in (PARTIAL, WHOLE):
        planned = [bracket.epochs for bracket in brackets if bracket.family == family and bracket.size > 1]
        assert planned[:2] == [LEAST, LEAST] and planned[2:3] in ([], [20])
    assert all(
        machine.params[number].get("epochs", 20) == bracket.epochs for bracket in brackets for number in bracket.numbers
    )
    assert all(max(bracket.rungs) == bracket.epochs for bracket in brackets)
    weak = Machine(2, 3000.0, weak=frozenset(SHARING))
    weak.run()
    assert {bracket.epochs for bracket in weak.strategy.brackets if bracket.family == WHOLE} == {20}
    alone = Machine(2, 3000.0, solvable=False)
    alone.run()
    assert {bracket.epochs for bracket in alone.strategy.brackets} == {20}


def area_of(extents: Extents, family: str) -> float:
    return extents._area(family)


def test_less_time_means_cheaper_depths_then_fewer_epochs() -> None:
    machine = told(1.0, freeze=0.0)
    extents, draws = machine.strategy.extents, machine.strategy.draws[PARTIAL]
    prices = [extents.dearest(PARTIAL, left, FEWEST) for left in (1e9, 20.0, 10.0, 5.0)]
    assert prices[0] == 1.0 and prices == sorted(prices, reverse=True) and prices[-1] < 0.5
    draws.dearest = 0.3
    depths = {p["freeze"] for _ in range(200) if (p := draws.draw(None, lambda model: None)) is not None}
    assert depths == {0.75, 1.0}
    draws.dearest = 0.01
    assert draws.cost() == 0.25, "the cheapest depth stays"
    whole = extents.epoch_seconds(PARTIAL) * area_of(extents, PARTIAL)
    assert extents.short(PARTIAL, 5.5 * whole) == 5 and extents.short(PARTIAL, 1.5 * whole) == 0
    assert extents.short(PARTIAL, 1e9) == 20 > USEFUL


def test_where_no_bracket_fits_a_single_trial_uses_the_time() -> None:
    machine = Machine(1, 14.5, space=space(freeze=0.5))
    machine.baseline_epochs = 8
    machine.run()
    (bracket,) = machine.strategy.brackets
    assert bracket.size == 1 and bracket.done
    (number,) = bracket.numbers
    assert machine.params[number]["freeze"] == 0.5 and len(machine.history[number]) == 6, "as many epochs as fit"
    assert machine.strategy.progress.stale == 0, "it does not count as a round"


def test_a_single_trial_is_of_the_family_that_has_time_to_learn() -> None:
    extents = told(1.0, freeze=0.0).strategy.extents
    whole = extents.epoch_seconds(WHOLE) * area_of(extents, WHOLE)
    assert extents.single([WHOLE, PARTIAL], 10.5 * whole) == (WHOLE, 10)
    family, epochs = extents.single([WHOLE, PARTIAL], 4.5 * whole)
    assert family == PARTIAL and epochs > 4, "not four epochs of what is dear"
    assert extents.single([WHOLE, PARTIAL], 0.1 * whole) == ("", 0) == extents.single([], 1e9)


def test_before_anything_is_known_depths_are_cheap_where_time_is_limited() -> None:
    extents = Machine(2, 1000.0).strategy.extents
    assert extents.dearest(PARTIAL, 100.0, FEWEST) == 0.5 and extents.dearest(PARTIAL, float("inf"), FEWEST) == 1.0


def test_finals_wait_for_the_default_recipe_and_whoever_leads_can_be_chosen() -> None:
    machine = Machine(2, 90.0)
    machine.run()
    strategy = machine.strategy
    if strategy.closing:
        assert 0 in strategy.results
    strategy.closing = True
    leader = max(strategy.results, key=lambda n: strategy.ranks.best.get(n, 0.0))
    strategy.ranks.best[leader] = 0.999
    assert strategy.chosen() == leader


def test_views_are_not_drawn_where_computing_them_takes_too_long() -> None:
    machine = told(1.0)
    strategy = machine.strategy
    strategy.heads._seconds["m/strong"] = 10.0
    sides = [strategy.heads.viewable("m/strong", left) for left in (2000.0, 300.0, 50.0)]
    assert sides[0] > 224 > sides[1] > 96 > sides[2] > 0 and strategy.heads.viewable("m/weak", 1.0) == float("inf")
    draws = strategy.draws[PARTIAL]
    draws.viewable = sides[2]
    drawn = [p for _ in range(50) if (p := draws.draw(None, lambda model: None)) is not None]
    assert {p["augment"] for p in drawn} == {"none"} and {p["views"] for p in drawn} == {0}
    draws.viewable = 100.0
    drawn = [p for _ in range(90) if (p := draws.draw(None, lambda model: None)) is not None]
    assert {p["augment"] for p in drawn if p["image_size"] == 128} == {"none"}, "four times as many passes"
    assert {p["augment"] for p in drawn if p["image_size"] == 96} == {"none", "light"}
    draws.viewable = sides[0]
    drawn = [p for _ in range(50) if (p := draws.draw(None, lambda model: None)) is not None]
    assert {p["augment"] for p in drawn} == {"none", "light"}
