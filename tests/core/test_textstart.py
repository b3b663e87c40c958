"""The linear solution on hashed words that networks of texts begin with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autoft import textstart, textterms
from autoft.heads import lbfgs
from autoft.records import Output, Problem
from autoft.texthash import rarity, terms, weighed
from autoft.textstart import Head, begin, factors, word_start
from autoft.textterms import Terms
from autoft.until import Until

Array = np.ndarray[Any, np.dtype[Any]]
BUCKETS = 256
ROWS = [np.array([1, 4]), np.array([], np.int64), np.array([4, 9, 2]), np.array([1])]
COUNTS = np.array([9.0, 0.5, 3.0, 2.0, -1.0])
"""Of the numbers that occur, from 0 on, which only pads."""
NUMBER = Output(name="value", head="pooled", size=1, loss="mse", post="identity", target="value")
LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
LABELS = Output(name="labels", head="pooled", size=3, loss="binary_cross_entropy", post="sigmoid", target="labels")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds what another one has solved."""
    monkeypatch.setattr(textstart, "_remembered", {})


def never() -> bool:
    return False


def texts(n: int = 60) -> tuple[list[Array], Array]:
    rows = [terms([f"a {'fine' if k % 2 else 'awful'} day, number {k}"], BUCKETS) for k in range(n)]
    return rows, np.arange(n) % 2


def dense(rows: list[Array], weights: list[Array], columns: int) -> Array:
    found = np.zeros((len(rows), columns))
    for place, (row, weight) in enumerate(zip(rows, weights, strict=True)):
        found[place, row] = weight
    return found


@pytest.mark.parametrize("scipy", [True, False])
def test_products_are_those_of_the_dense_matrix(scipy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if scipy:
        pytest.importorskip("scipy", reason="core alone does without it")
    else:
        monkeypatch.setattr(textterms, "_matrix", lambda *_: None)
    sparse, counts = Terms(ROWS), np.zeros(10)
    counts[[1, 2, 4, 9]] = COUNTS[1:]
    whole = dense(ROWS, [counts[row] for row in ROWS], 10)
    sparse.count(COUNTS)
    right, left = np.random.default_rng(0).normal(size=(10, 2)), np.random.default_rng(1).normal(size=(4, 2))
    assert np.allclose(sparse.times(right[sparse.columns]), whole @ right)
    assert np.allclose(sparse.back(left), (whole.T @ left)[sparse.columns])
    assert np.allclose(sparse.squares(), (whole**2).mean(0)[sparse.columns])
    sparse.count(COUNTS, level=True)
    norms = np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-6)
    assert np.allclose(sparse.times(right[sparse.columns]), (whole / norms) @ right)


def test_numbers_are_solved_as_ridge_regression_in_closed_form() -> None:
    rng = np.random.default_rng(0)
    rows = [rng.choice(np.arange(1, 12), 4, replace=False) for _ in range(40)]
    values = rng.normal(size=(40, 1)).astype(np.float32)
    found = begin(rows, values, NUMBER, 6, never)
    assert found is not None and np.array_equal(found.rare, rarity(rows, 6)), "numbers have no classes"
    features = np.column_stack([np.ones(40), dense(rows, [weighed(row, found.rare, 6) for row in rows], 12)])
    penalty = np.diag([0.0] + [found.strength] * 12)
    wanted = np.linalg.solve(features.T @ features + penalty + 1e-12 * np.eye(13), features.T @ values)
    assert np.allclose(found.head.weights[0], wanted[1:, 0], atol=1e-3)
    assert np.allclose(found.head.bias, wanted[0], atol=1e-3)


@pytest.mark.parametrize("output", [LABEL, LABELS])
def test_what_words_say_is_known_before_the_first_step(output: Output) -> None:
    rows, labels = texts()
    targets = labels if output is LABEL else np.eye(3, dtype=np.float32)[labels]
    problem = Problem(name="any", inputs=("text",), outputs=(output,))
    found = word_start(rows, {output.target: targets}, problem, BUCKETS, 4, never)
    assert found.table is not None and found.head is not None and found.loss < 0.2
    assert found.table.shape == (2 * BUCKETS, output.size) and found.head[0].shape == (output.size, 4)
    features = np.zeros((len(rows), 4))
    for place, row in enumerate(rows):
        features[place, : output.size] = weighed(row, found.rare, BUCKETS) @ found.table[row]
    raw = features @ found.head[0].T + found.head[1]
    assert (raw.argmax(1) == labels).all()


def test_numbers_count_by_how_they_tell_classes_apart() -> None:
    rows, labels = texts()
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    found = word_start(rows, {"label": labels}, problem, BUCKETS, 4, never)
    fine, day = ({*terms([word], BUCKETS)[:1].tolist()}.pop() for word in ("fine", "day"))
    assert found.rare[fine] > 3 * found.rare[day], "all texts have the second, one class alone has the first"
    assert word_start(rows, {"label": labels}, problem, BUCKETS, 0, never).rare[day] == pytest.approx(1)


def test_the_strength_is_chosen_by_texts_whose_labels_no_weight_has_seen() -> None:
    """Labels that follow from nothing: weights that have read those of the texts that are left out would find them."""
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.choice(np.arange(1, 4096), 30, replace=False)) for _ in range(200)]
    found = begin(rows, rng.integers(0, 2, 200), LABEL, 4096, never)
    assert found is not None and found.strength == textstart.STRENGTHS[0]


def test_whether_two_texts_are_alike_is_learned() -> None:
    rng = np.random.default_rng(0)
    rows = [" ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 6, replace=False)) for _ in range(300)]
    pairs = [(row, row[::-1] if k % 2 else rows[k - 1]) for k, row in enumerate(rows)]
    numbers, labels = [terms(pair, 4096) for pair in pairs], np.arange(300) % 2
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    found = word_start(numbers[:200], {"label": labels[:200]}, problem, 4096, 2, never)
    assert found.table is not None and found.head is not None
    features = [weighed(row, found.rare, 4096) @ found.table[row] for row in numbers[200:]]
    raw = np.stack(features) @ found.head[0].T + found.head[1]
    assert (raw.argmax(1) == labels[200:]).mean() > 0.95


def test_padding_and_texts_without_a_class_teach_nothing() -> None:
    rows, labels = texts()
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    plain = word_start(rows, {"label": labels}, problem, BUCKETS, 4, never)
    more = begin(
        [*rows, rows[0]],
        np.append(labels, -1),
        LABEL,
        BUCKETS,
        never,
    )
    assert more is not None and plain.table is not None
    assert np.allclose(more.head.weights, plain.table.T * textstart.HEAD, atol=1e-4)
    assert not more.head.weights[:, 0].any()


def test_a_solution_of_more_outputs_than_the_table_is_wide_is_the_nearest_there_is() -> None:
    rng = np.random.default_rng(0)
    weights = (rng.normal(size=(6, 2)) @ rng.normal(size=(2, 30))).astype(np.float32)
    left, right = factors(Head(weights, np.zeros(6)), 2)
    assert left.shape == (6, 2) and np.allclose(left @ right, weights, atol=1e-4)
    left, right = factors(Head(weights, np.zeros(6)), 8)
    assert left.shape == (6, 6) and np.array_equal(left @ right, weights)


def test_without_time_or_room_there_is_no_solution_but_rarity(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = texts()
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    late = word_start(rows, {"label": labels}, problem, BUCKETS, 4, lambda: True)
    assert late.table is None and late.head is None and late.rare.max() > 1
    assert word_start(rows, {"label": labels}, problem, BUCKETS, 0, never).table is None
    monkeypatch.setattr(textstart, "MOST_NUMBERS", 10)
    none = word_start(rows, {"label": labels}, problem, BUCKETS, 4, never)
    assert none.table is None and "without the linear solution: with 2 outputs there is memory for" in none.said


@pytest.mark.parametrize(("share", "solved"), [(0.75, 44), (0.4, 0)])
def test_of_very_many_texts_some_are_solved_on_and_not_few(
    share: float, solved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, labels = texts()
    monkeypatch.setattr(textstart, "MOST_TERMS", int(share * sum(map(len, rows))))
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    found = word_start(rows, {"label": labels}, problem, BUCKETS, 4, never)
    if not solved:
        assert found.table is None and found.rare.max() > 1
        assert found.said.startswith("training begins without the linear solution: there is memory for 23 of 60 texts")
        return
    assert found.table is not None
    assert len(np.flatnonzero(found.table.any(1))) < len(np.unique(np.concatenate(rows)))
    assert found.said == "the linear solution is that of 44 of 60 texts, as there is memory for no more"


@pytest.mark.parametrize(
    ("left", "said"), [(1000.0, ""), (20.0, "that of 35 of 60 texts"), (9.0, "one strength"), (3.0, "no time for it")]
)
def test_no_more_is_solved_than_there_is_time_for(left: float, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = texts()
    monkeypatch.setattr(textstart.TextProblem, "seconds", lambda self: 10.0)
    asked: list[int] = []

    def over() -> bool:
        asked.append(1)
        return False

    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    found = word_start(rows, {"label": labels}, problem, BUCKETS, 4, Until(over, lambda: left))
    assert said in found.said and bool(said) == bool(found.said)
    assert (found.table is None) == (left == 3.0)
    assert not asked, "who plans by what is left takes no steps that are counted"


def test_a_solution_made_in_a_hurry_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = texts()
    monkeypatch.setattr(textstart.TextProblem, "seconds", lambda self: 10.0)
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    quick = word_start(rows, {"label": labels}, problem, BUCKETS, 4, Until(never, lambda: 10.0))
    assert "one strength" in quick.said and quick.table is not None
    found = word_start(rows, {"label": labels}, problem, BUCKETS, 4, Until(never, lambda: 1e4))
    assert not found.said and not found.cut and found.loss != quick.loss, "later there is time for all"
    assert word_start(rows, {"label": labels}, problem, BUCKETS, 4, never) is found


def test_a_solution_ends_with_the_time_that_was_left() -> None:
    rows, labels = texts()
    left = iter([1e9] * 5)
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    late = word_start(rows, {"label": labels}, problem, BUCKETS, 4, Until(never, lambda: next(left, -1.0)))
    assert late.table is None and late.rare.max() > 1 and not late.said


@pytest.mark.parametrize("asked", [16, 60])
def test_a_solution_that_time_cuts_is_taken_as_far_as_it_has_come(asked: int) -> None:
    """At a later question all texts are solved on already; before, four of five."""
    rows, labels = texts()
    left = iter([1e9] * asked)
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    stop = Until(never, lambda: next(left, 0.4e9))
    cut = word_start(rows, {"label": labels}, problem, BUCKETS, 4, stop)
    assert cut.cut and "time ended the linear solution before its end" in cut.said
    whole = word_start(rows, {"label": labels}, problem, BUCKETS, 4, never)
    assert not whole.cut and not whole.said, "what was cut is not remembered"
    for found in (cut, whole):
        assert found.table is not None and found.head is not None
        weights, bias = found.head
        sums = np.stack([weighed(row, found.rare, BUCKETS) @ found.table[row] for row in rows])
        raw = sums @ weights[:, : found.table.shape[1]].T + bias
        right = float((raw.argmax(1) == labels).mean())
        assert right > 0.9 and math.isfinite(found.loss)
    assert cut.loss >= whole.loss


def test_the_same_texts_are_solved_once_and_others_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = texts()
    solved: list[int] = []
    solve = textstart.begin

    def counted(*arguments: Any) -> Any:
        solved.append(1)
        return solve(*arguments)

    monkeypatch.setattr(textstart, "begin", counted)
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    first = word_start(rows, {"label": labels}, problem, BUCKETS, 4, never)
    assert word_start(rows, {"label": labels}, problem, BUCKETS, 4, never) is first
    assert len(solved) == 1
    word_start(rows, {"label": 1 - labels}, problem, BUCKETS, 4, never)
    word_start(rows[:-2], {"label": labels[:-2]}, problem, BUCKETS, 4, never)
    assert len(solved) == 3


def test_no_more_solutions_are_held_than_trials_need() -> None:
    rows, labels = texts()
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    for count in range(20, 60, 4):
        word_start(rows[:count], {"label": labels[:count]}, problem, BUCKETS, 4, never)
    assert len(textstart._remembered) == textstart.REMEMBERED


def test_a_large_solution_is_found_with_a_memory_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = texts()
    exact = begin(rows, labels, LABEL, BUCKETS, never)
    monkeypatch.setattr(lbfgs, "LARGE", 10)
    rough = begin(rows, labels, LABEL, BUCKETS, never)
    assert exact is not None and rough is not None
    assert exact.strength == rough.strength
    assert np.allclose(exact.head.weights, rough.head.weights, atol=2e-3)


def test_of_many_classes_the_numbers_that_few_texts_have_are_left_out_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 20
    rows = [terms([f"topic{chr(97 + k)} again topic{chr(97 + k)} {rng.integers(1 << 30)}"], 4096) for k in labels]
    output = Output(name="label", head="pooled", size=20, loss="cross_entropy", post="softmax", target="label")
    problem = Problem(name="any", inputs=("text",), outputs=(output,))
    every = len(np.unique(np.concatenate(rows)))
    monkeypatch.setattr(textstart, "FEWEST_COLUMNS", 10)
    monkeypatch.setattr(textstart, "MOST_NUMBERS", 20 * 400)
    found = word_start(rows, {"label": labels}, problem, 4096, 20, never)
    assert found.table is not None and found.head is not None and every > 400
    assert 10 < len(np.flatnonzero(found.table.any(1))) <= 400
    assert found.said.startswith("the linear solution is on ") and f" of {every:,} words" in found.said
    assert found.said.endswith("texts are left out")
    features = np.stack([weighed(row, found.rare, 4096) @ found.table[row] for row in rows])
    raw = features @ found.head[0].T + found.head[1]
    assert (raw.argmax(1) == labels).all(), "what is left out counts in the lengths of texts here and there"
    loss = -np.mean((raw - np.log(np.exp(raw).sum(1, keepdims=True)))[np.arange(200), labels])
    assert loss == pytest.approx(found.loss, abs=1e-4)


def test_how_many_texts_must_have_a_number() -> None:
    assert textterms.enough(ROWS, 9) == (1, 4, 4)
    assert textterms.enough(ROWS, 2) == (2, 2, 4)
    assert textterms.enough(ROWS, 1) == (3, 0, 4), "two that equally many have stay or go together"
