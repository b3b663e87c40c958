"""Brackets of successive halving, and by what their trials are ranked."""

from __future__ import annotations

import msgspec
import pytest

from autoft.records import EpochReport
from autoft.search.halving import Bracket, Ranks, cost, rungs


def test_rungs_begin_at_two_epochs_and_end_at_the_last() -> None:
    assert rungs(20) == (2, 6, 20)
    assert rungs(1) == (1,)
    assert rungs(2) == (2,)
    assert rungs(60) == (2, 6, 18, 60)
    assert cost(9, 20) == 9 * 2 + 3 * 4 + 1 * 14


def test_a_bracket_promotes_its_best_third() -> None:
    bracket = Bracket("any", range(7), 20)
    taken = [bracket.take() for _ in range(7)]
    assert bracket.take() is None
    for number in taken[:-1]:
        assert number is not None
        bracket.arrive(number, able=True)
        assert bracket.promote(lambda n, until: -n) == []
    bracket.arrive(6, able=False)  # failed: neither promoted nor named as one that was left behind
    assert bracket.promote(lambda n, until: -n) == [3, 2, 1, 0]
    assert (bracket.waiting, bracket.until) == ([5, 4], 6)


def test_the_last_one_of_a_bracket_runs_to_its_end() -> None:
    bracket = Bracket("any", range(5), 20)
    while (number := bracket.take()) is not None:
        bracket.arrive(number, able=True)
    assert bracket.promote(lambda n, until: -n) == [3, 2, 1, 0]
    assert (bracket.waiting, bracket.until) == ([4], 0), "at 6 epochs there would be nothing to compare it with"
    assert Bracket("any", [1], 20).until == 0


def test_rivals_are_waited_for_and_hold_the_places_they_win() -> None:
    bracket = Bracket("any", range(4), 20, rivals=(10, 11, 12))
    while (number := bracket.take()) is not None:
        bracket.arrive(number, able=True)
    assert bracket.promote(lambda n, until: n) == [] and bracket.waiting == []
    for rival in (10, 11, 12):
        assert rival in bracket
        bracket.ended(rival, scored=rival != 12)  # the last one failed
    places = {10: 0, 3: 1}
    asked: list[int] = []
    assert bracket.promote(lambda n, until: (asked.append(until), places.get(n, n + 9))[1]) == [0, 1, 2]
    assert (bracket.waiting, bracket.rivals, bracket.until, set(asked)) == ([3], [10], 6, {2})
    assert bracket.take() == 3
    bracket.arrive(3, able=True)
    assert bracket.promote(lambda n, until: -n) == [3], "the head holds the only place"
    assert bracket.done


def test_a_first_rung_that_comes_later_sends_those_that_have_arrived_on_to_it() -> None:
    bracket = Bracket("any", range(4), 20)
    assert [bracket.take() for _ in range(3)] == [0, 1, 2]
    bracket.arrive(0, able=True, epoch=2)
    bracket.delay(6)
    assert (bracket.until, bracket.waiting, bracket.arrived) == (6, [3, 0], [])
    bracket.arrive(1, able=True, epoch=2)
    bracket.arrive(2, able=True, epoch=6)
    assert (bracket.waiting, bracket.arrived) == ([3, 0, 1], [2])
    bracket.delay(4)
    assert bracket.until == 6, "it never comes earlier"
    while (number := bracket.take()) is not None:
        bracket.arrive(number, able=True, epoch=6)
    assert bracket.promote(lambda n, until: n) == [1, 2, 3]
    bracket.delay(9)
    assert (bracket.until, bracket.waiting) == (0, [0]), "the single one that is left runs to its end"
    short = Bracket("any", range(4), 5)
    assert [short.take() for _ in range(4)] == [0, 1, 2, 3]
    short.delay(4)
    short.arrive(0, able=True, epoch=2)
    assert (short.until, short.waiting) == (0, [0]), "no rung is left before the end"


def test_what_a_trial_became_later_does_not_count_at_a_rung() -> None:
    ranks = Ranks("max")
    for number, score in enumerate([0.5, 0.6, 0.9, 0.8], 1):
        ranks.saw(0, epoch(number, score, 1.0 / number))
    for number, score in enumerate([0.5, 0.7], 1):
        ranks.saw(1, epoch(number, score, 1.0))
    assert sorted((0, 1), key=lambda number: ranks.key(number, 2)) == [1, 0]
    assert sorted((0, 1), key=ranks.key) == [0, 1]
    assert ranks.key(0, 2)[0] == -0.6


def epoch(number: int, score: float, loss: float) -> EpochReport:
    return EpochReport(epoch=number, score=score, metrics={}, train_loss=loss, seconds=1.0)


def test_scores_of_models_that_have_learned_nothing_count_as_equal() -> None:
    ranks = Ranks("min", 1.0, 0.0)
    for number, (score, loss) in enumerate([(0.96, 3.0), (1.2, 1.0), (0.9, 4.0), (1.0, 2.0)]):
        ranks.saw(number, epoch(1, score, loss))
    assert sorted(range(4), key=ranks.key) == [2, 1, 3, 0], "what is better than silence, then by training losses"


def test_of_equal_scores_the_better_mean_counts_and_not_the_loss() -> None:
    plain = Ranks("max")
    for number, (course, loss) in enumerate([((0.4, 0.6), 1.0), ((0.7, 0.7), 3.0), ((0.5, 0.6), 2.0)]):
        for at, score in enumerate(course, 1):
            plain.saw(number, epoch(at, score, loss))
    assert sorted(range(3), key=plain.key) == [1, 2, 0], "losses tell how strongly a trial is regularised"


def test_a_score_counts_at_most_what_cross_validation_makes_of_it() -> None:
    ranks = Ranks("max")
    ranks.saw(0, msgspec.structs.replace(epoch(1, 0.9, 1.0), combined=0.8))
    ranks.saw(1, epoch(1, 0.85, 1.0))
    ranks.saw(2, msgspec.structs.replace(epoch(1, 0.8, 1.0), combined=0.9))
    assert ranks.best == {0: 0.8, 1: 0.85, 2: 0.8}
    errors = Ranks("min")
    errors.saw(0, msgspec.structs.replace(epoch(1, 0.1, 1.0), combined=0.2))
    assert errors.best == {0: -0.2}


def test_what_counts_beside_scores_ranks_but_makes_none_perfect() -> None:
    ranks = Ranks("max")
    for number, (score, finer) in enumerate([(1.0, 0.7), (0.9, 0.9), (1.0, 0.8)]):
        ranks.saw(number, msgspec.structs.replace(epoch(1, score, 1.0), finer=finer))
    assert sorted(range(3), key=ranks.key) == [1, 2, 0]
    assert ranks.top == {0: 1.0, 1: 0.9, 2: 1.0}
    ranks.saw(1, msgspec.structs.replace(epoch(2, 0.8, 1.0), finer=1.0))
    assert ranks.best[1] == 0.9, "of an epoch whose model is not kept it says nothing"
    ranks.saw(1, msgspec.structs.replace(epoch(3, 0.9, 1.0), finer=0.6))
    assert ranks.best[1] == pytest.approx(0.7), "of equal epochs the last is kept"
    ranks.ended(2, failed=True)
    assert set(ranks.top) == set(ranks.best) == {0, 1}


def test_the_first_rung_waits_until_the_default_recipe_has_learned_something() -> None:
    ranks = Ranks("min", 1.0, 0.0)
    for number, score in enumerate([1.3, 1.0, 0.99, 1.0], 1):
        ranks.saw(0, epoch(number, score, 1.0))
        ranks.saw(1, epoch(number, 0.5, 1.0))
    assert ranks.first == 5, "not before the next epoch of trial 0"
    for number, score in enumerate([1.0, 0.9, 0.95, 1.0], 5):
        ranks.saw(0, epoch(number, score, 1.0))
    assert ranks.first == 6
    assert (rungs(100, 6), rungs(8, 6)) == ((6, 18, 54, 100), (8,))
    assert ranks.cost(9, 18) == cost(9, 18, 6) == 9 * 6 + 3 * 12
    known = Ranks("max")
    known.saw(0, epoch(1, 0.0, 1.0))
    assert known.first == 2


def test_nobody_is_stopped_while_trial_0_is_silent() -> None:
    ranks = Ranks("min", 1.0, 0.0)
    assert (ranks.rung(2), ranks.rung(4)) == (4, 6)
    ranks.saw(0, epoch(1, 1.0, 1.0))
    assert (ranks.silent, ranks.rung(4)) == (True, 6)
    ranks.saw(0, epoch(2, 0.5, 1.0))
    assert (ranks.silent, ranks.rung(6)) == (False, 2), "a bracket that stands later stays there"
    deaf = Ranks("min", 1.0, 0.0)
    deaf.ended(0, failed=True)
    assert deaf.rung(4) == 2
    assert Ranks("max").rung(2) == 2
