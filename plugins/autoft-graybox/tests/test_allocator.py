"""The allocator starts with the default, prefers what is promising for its cost, and never waits on what has ended."""

from __future__ import annotations

import numpy as np
import pytest

from autoft_graybox import allocator
from autoft_graybox.allocator import Allocator
from autoft_graybox.costs import seconds_per_epoch
from autoft_graybox.curve import Curve
from autoft_graybox.features import State, knowledge
from autoft_graybox.halving import next_in_halving
from autoft_graybox.surrogate import Surrogate
from autoft_graybox.table import EPOCHS, Table


def spend(table: Table, chooser: Allocator, epochs: int) -> dict[int, Curve]:
    observed: dict[int, Curve] = {}
    spent = 0
    while spent < epochs:
        place = chooser.suggest(observed, table.configurations)
        assert place is not None
        assert place == chooser.suggest(observed, table.configurations), "asked again, it says the same"
        done = len(observed[place].scores) if place in observed else 0
        until = done + chooser.rung(observed.get(place))
        assert done < until <= EPOCHS
        observed[place] = Curve(table.scores[place, :until], table.seconds[place, :until], EPOCHS)
        spent += until - done
    return observed


def test_it_finds_good_configurations_for_the_price_of_few_whole_runs(learned: Surrogate, others: list[Table]) -> None:
    regrets = []
    for table in others:
        observed = spend(table, Allocator(epochs=EPOCHS, cost="epochs", surrogate=learned), 6 * EPOCHS)
        regrets.append(table.final.max() - max(float(curve.scores[-1]) for curve in observed.values()))
        lengths = sorted((len(curve.scores) for curve in observed.values()), reverse=True)
        assert lengths[0] == EPOCHS, "some came to their end"
        assert np.median(lengths) < EPOCHS / 4, "most were left early"
    assert np.mean(regrets) < 0.03, regrets


def test_the_first_is_candidate_0(learned: Surrogate, unseen: Table) -> None:
    assert Allocator(surrogate=learned).suggest({}, unseen.configurations) == 0


def test_what_runs_or_has_ended_is_not_suggested(learned: Surrogate, unseen: Table) -> None:
    chooser = Allocator(epochs=EPOCHS, surrogate=learned)
    few = unseen.configurations[:4]
    ended = {
        0: Curve(unseen.scores[0]),
        1: Curve(unseen.scores[1, :5], ended=True),
        2: Curve(unseen.scores[2, :7], planned=7),
    }
    assert chooser.suggest(ended, few) == 3
    assert chooser.suggest(ended, few, running=[3]) is None


def test_of_two_alike_the_cheaper_goes_on(learned: Surrogate, unseen: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "SHARE", 0.0)  # halving asks for no cost
    twins = [unseen.configurations[0], unseen.configurations[1], unseen.configurations[1]]
    rising = [0.4, 0.45, 0.48]
    observed = {0: Curve([0.3] * 3, [10.0] * 3), 1: Curve(rising, [100.0] * 3), 2: Curve(rising, [1.0] * 3)}
    swapped = {0: observed[0], 1: observed[2], 2: observed[1]}
    timed = Allocator(epochs=EPOCHS, surrogate=learned)
    assert (timed.suggest(observed, twins), timed.suggest(swapped, twins)) == (2, 1)
    counted = Allocator(epochs=EPOCHS, cost="epochs", surrogate=learned)
    assert counted.suggest(observed, twins) == counted.suggest(swapped, twins), "epochs cost the same"


def test_near_the_end_of_the_time_the_most_promising_that_fits_is_finished(learned: Surrogate, unseen: Table) -> None:
    chooser = Allocator(epochs=EPOCHS, surrogate=learned)
    candidates = unseen.configurations[:3]
    rising = [0.3, 0.5, 0.6]
    observed = {
        0: Curve([0.2] * 40, [1.0] * 40),
        1: Curve(rising, [100.0] * 3),
        2: Curve(rising, [1.0] * 3),
    }
    assert chooser.closing(observed, candidates, (), left=1e6) is None, "there is time for more"
    assert chooser.closing(observed, candidates, (), left=60.0) == 2
    assert chooser.closing(observed, candidates, (2,), left=20.0) == 0, "only this one can come to its end"
    assert chooser.closing(observed, candidates, (), left=5.0) is None
    assert chooser.closing({0: Curve([])}, candidates, (), left=5.0) is None, "nothing is known of durations"


def test_durations_are_those_measured_else_told_by_networks_alike(learned: Surrogate, unseen: Table) -> None:
    known = knowledge(unseen.encoded, list(unseen.models), learned.prior)
    n = len(unseen.length)
    assert (seconds_per_epoch(known, [()] * n) == 1).all()
    measured = [unseen.seconds[i, :2] * 7 if i % 3 == 0 else () for i in range(n)]
    expected = seconds_per_epoch(known, measured)
    truth = unseen.seconds[:, 0] * 7
    np.testing.assert_allclose(expected[::3], truth[::3])
    assert np.abs(np.log(expected / truth)).max() < np.log(1.5)


def test_halving_promotes_the_best_third_of_the_highest_rung() -> None:
    scores = np.zeros((6, 20))
    scores[:, :2] = np.array([[1], [2], [3], [4], [5], [6]]) / 10
    used = np.full(6, 2)
    state, free = State(scores, used, np.full(6, 20)), np.ones(6, bool)
    value = np.arange(6.0)
    assert next_in_halving(state, value, free, 20) == 5
    free[5] = False
    assert next_in_halving(state, value, free, 20) == 4
    free[4] = False
    assert next_in_halving(state, value, free, 20) is None, "the others are not among the best third"
    fresh = state._replace(used=np.array([2, 0, 0, 0, 0, 0]))
    assert next_in_halving(fresh, value, np.ones(6, bool), 20) == 5, "the one with most value begins"
