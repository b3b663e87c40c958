"""Which trials are finalists, and which of them is the result."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from autoft.search.finals import distinct, values


def choose(rivals: Sequence[Sequence[int]], scores: Mapping[int, float], exact: Collection[int]) -> int:
    """The best run of the configuration that is worth most."""
    worth = values(rivals, scores, exact)
    return max(rivals[worth.index(max(worth))], key=lambda number: scores[number])


def test_each_configuration_is_a_finalist_once_by_its_best_run() -> None:
    scores = {0: 0.7, 1: 0.9, 2: 0.8, 3: 0.95}
    assert distinct(scores, {0: "a", 1: "b", 2: "a", 3: "b"}.__getitem__, dict.fromkeys(scores, 0)) == [3, 2]


def test_of_equal_scores_that_comes_first_of_whose_kind_fewer_were_tried() -> None:
    scores = {0: 0.9, 1: 0.9, 2: 0.8, 3: 0.9, 4: 0.91}
    kinds = {0: "head", 1: "head", 2: "head", 3: "deep", 4: "head"}
    assert distinct(scores, lambda number: number, kinds) == [4, 3, 0, 1, 2]
    failed = dict.fromkeys(range(5, 10), "deep")
    assert distinct(scores, lambda number: number, kinds | failed) == [4, 0, 1, 3, 2], "those that failed count as well"


def test_the_first_finalist_wins_where_means_are_equal() -> None:
    assert choose([[3], [0]], {0: 0.9, 3: 0.9}, exact=()) == 3
    assert values([], {}, exact=()) == []


def test_a_configuration_counts_by_the_mean_of_its_runs() -> None:
    scores = {0: 0.9, 1: 0.8, 2: 0.86, 3: 0.84}
    assert choose([[0, 1], [2, 3]], scores, exact=()) == 0, "equal means: the first one, and its better run"
    assert choose([[0, 1], [2, 3]], {**scores, 3: 0.86}, exact=()) == 2


def test_one_pair_tells_little_of_luck_and_trial_0_was_not_picked_for_its_score():
    scores = {0: 0.96, 1: 0.948, 2: 0.967, 3: 0.907}
    rivals = [[0], [1], [2, 3]]
    assert choose(rivals, scores, [0, 1]) == 0
    assert choose(rivals, scores, [1]) == 1, "a trial that was picked for its score counts .015 less, not .03"
    assert choose([[1], [2, 3], [4]], {**scores, 4: 0.98}, [1]) == 4
