"""When rounds of trials have shown that nothing more is to be expected."""

from __future__ import annotations

from autoft.search.extents import FEWEST, LEAST
from autoft.search.progress import SINCE, STALE, Progress
from tests.search.test_auto import Machine, space


def test_small_rounds_count_together_and_heads_do_not() -> None:
    progress = Progress(0.0)
    progress.round(FEWEST, 0.5, 1.0)
    for _ in range(STALE):
        progress.round(0, 0.5, 100.0)
    assert progress.stale == 0
    for _ in range(FEWEST * STALE - 1):
        progress.round(1, 0.5, 100.0)
    assert progress.stale == STALE - 1 and not progress.over(100.0)
    progress.round(1, 0.5, 100.0)
    assert progress.stale == STALE and progress.over(100.0)
    progress.round(1, 0.6, 100.0)
    assert progress.stale == 0 and progress.leading == 0.6


def test_a_part_of_the_time_must_have_brought_nothing() -> None:
    progress = Progress(10.0)
    progress.round(9, 0.5, 110.0)
    for _ in range(2 * STALE):
        progress.round(9, 0.5, 120.0)
    assert not progress.over(120.0)
    assert not progress.over(110.0 + 0.9 * 100 * SINCE / (1 - SINCE))
    assert progress.over(110.0 + 1.1 * 100 * SINCE / (1 - SINCE))


def test_what_second_runs_take_from_the_best_others_can_gain() -> None:
    progress = Progress(0.0)
    progress.round(9, 0.99, 1.0)
    progress.learned(0.95)
    progress.round(9, 0.96, 2.0)
    assert progress.stale == 0 and progress.gained == 2.0


def test_where_short_schedules_bring_nothing_whole_ones_are_tried() -> None:
    machine = Machine(2, 1500.0)
    planned = machine.strategy.extents.planned
    assert planned(0, begun=True) == LEAST and planned(0, begun=True, patient=True) == 20
    machine.run()
    epochs = [bracket.epochs for bracket in machine.strategy.brackets]
    assert epochs.count(20) > len(epochs) // 3


def test_where_all_trials_are_heads_their_rounds_count() -> None:
    machine = Machine(2, 1e6, space=space(freeze=1.0, augment="none", optimizer="sgd"))
    machine.run()
    assert "rounds" in machine.strategy.over()
