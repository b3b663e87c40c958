"""Solved heads: exact where there is a second opinion, chosen on left-out rows, and solved once."""

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import heads
from autoft.heads import decompose, lbfgs, solvers
from autoft.heads.encode import log_softmax, sigmoid
from autoft.records import Output, Problem
from autoft.testing import reference

CLASSES = Output(name="a", head="pooled", size=3, loss="cross_entropy", post="softmax", target="a")
LABELS = replace(CLASSES, loss="binary_cross_entropy", post="sigmoid")
NUMBERS = replace(CLASSES, size=2, loss="mse", post="identity")
STRENGTHS = (1e-4, 1e-2, 1.0, 100.0)
TALL, WIDE = (150, 20), (40, 90)


@pytest.fixture(autouse=True)
def nothing_known():
    solvers.forget()


def data(output, shape=TALL, seed=0):
    """Features of very different scales, one of them constant, and targets that they tell something about."""
    rng = np.random.default_rng(seed)
    rows, width = shape
    features = np.maximum(0, rng.normal(size=shape) @ (rng.normal(size=(width, width)) / np.sqrt(width)))
    truth = features @ rng.normal(size=(width, output.size)) / np.sqrt(width) + 0.3 * rng.normal(
        size=(rows, output.size)
    )
    features = (features * rng.uniform(0.01, 100, width) + 5).astype(np.float32)
    features[:, 3] = 7.5
    if output.loss == "cross_entropy":
        return features, truth.argmax(1)
    if output.loss == "binary_cross_entropy":
        return features, (truth > truth.mean(0)).astype(np.float32)
    return features, truth.astype(np.float32)


def scaled(features):
    """Scaled to mean 0 and mean square 1; constant features to 0."""
    values = features.astype(np.float64)
    deviation = values.std(0)
    return (values - values.mean(0)) / np.where(deviation > 1e-6, deviation, np.inf)


def centred(raw):
    return raw - raw.mean(1, keepdims=True)


# ---- a second opinion -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("balanced", [False, True])
def test_ridge_decides_as_scikit_learn(shape, strength, balanced):
    linear = pytest.importorskip("sklearn.linear_model")
    features, truth = data(CLASSES, shape)
    weights = np.array([0.5, 1.0, 2.0])
    output = replace(CLASSES, class_weights=tuple(weights)) if balanced else CLASSES
    row = weights[truth] if balanced else np.ones(len(truth))
    row = row / row.mean()
    mean = np.average(features.astype(np.float64), axis=0, weights=row)
    deviation = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=row))
    seen = (features - mean) / np.where(deviation > 1e-6, deviation, np.inf)
    other = linear.Ridge(alpha=strength * len(truth)).fit(seen, np.eye(3)[truth], sample_weight=row)
    wanted = other.predict(seen)
    found = centred(heads.solve("ridge", strength, features, truth, output).raw(features.astype(np.float64)))
    factor = np.vdot(found, centred(wanted)) / np.vdot(centred(wanted), centred(wanted))
    assert factor > 1, "scores between 0 and 1 are too small for softmax"
    np.testing.assert_allclose(found / factor, centred(wanted), atol=1e-4)


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_logistic_is_that_of_scikit_learn(shape, strength):
    linear = pytest.importorskip("sklearn.linear_model")
    features, truth = data(CLASSES, shape)
    model = linear.LogisticRegression(C=1 / (strength * len(truth)), tol=1e-9, max_iter=20_000)
    wanted = model.fit(scaled(features), truth).predict_proba(scaled(features))
    found = heads.solve("logistic", strength, features, truth, CLASSES).raw(features.astype(np.float64))
    np.testing.assert_allclose(np.exp(log_softmax(found)), wanted, atol=1e-3)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_logistic_per_channel_is_that_of_scikit_learn(strength):
    linear = pytest.importorskip("sklearn.linear_model")
    features, truth = data(LABELS)
    found = sigmoid(heads.solve("logistic", strength, features, truth, LABELS).raw(features.astype(np.float64)))
    for channel in range(3):
        model = linear.LogisticRegression(C=1 / (strength * len(truth)), tol=1e-9, max_iter=20_000)
        wanted = model.fit(scaled(features), truth[:, channel]).predict_proba(scaled(features))[:, 1]
        np.testing.assert_allclose(found[:, channel], wanted, atol=1e-3)


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_ridge_on_numbers_solves_its_equations(shape, strength):
    features, truth = data(NUMBERS, shape)
    seen, n = scaled(features), len(truth)
    inner = np.linalg.solve(seen.T @ seen / n + strength * np.eye(shape[1]), seen.T @ (truth - truth.mean(0)) / n)
    head = heads.solve("ridge", strength, features, truth, NUMBERS)
    np.testing.assert_allclose(head.raw(features), seen @ inner + truth.mean(0), atol=2e-4)
    assert head.weights.shape == (2, shape[1]) and head.weights.dtype == head.bias.dtype == np.float32
    assert not head.weights[:, 3].any(), "a constant feature says nothing"
    same = heads.solve("logistic", strength, features, truth, replace(NUMBERS, loss="huber"))
    np.testing.assert_array_equal(same.weights, head.weights)


def test_class_weights_move_the_logistic_solution_as_repeated_rows_do():
    features, truth = data(CLASSES)
    doubled = np.concatenate([np.arange(len(truth)), np.flatnonzero(truth == 1)])
    # The scales of the features are weighted, too, so that both see the same ones.
    wanted = heads.solve("logistic", 0.1, features[doubled], truth[doubled], CLASSES)
    found = heads.solve("logistic", 0.1, features, truth, replace(CLASSES, class_weights=(1.0, 2.0, 1.0)))
    np.testing.assert_allclose(found.raw(features), wanted.raw(features), atol=1e-3)


def test_rows_of_probabilities_and_padding():
    features, truth = data(CLASSES)
    wanted = heads.solve("logistic", 0.1, features[5:], truth[5:], CLASSES)
    padded = np.where(np.arange(len(truth)) < 5, -1, truth)
    np.testing.assert_array_equal(heads.solve("logistic", 0.1, features, padded, CLASSES).weights, wanted.weights)
    soft = heads.solve("logistic", 0.1, features[5:], np.eye(3, dtype=np.float32)[truth[5:]], CLASSES)
    np.testing.assert_allclose(soft.weights, wanted.weights, atol=1e-5)


# ---- left-out rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("strength", [1e-5, 1e-2, 1.0])
def test_leave_one_out_is_what_it_says(shape, strength, monkeypatch):
    """Against one solution per row. The scales of the features are those of all rows, hence fixed here."""
    features, truth = data(NUMBERS, shape)
    (found,) = heads.leave_one_out([strength], features, truth, NUMBERS)
    seen, n = scaled(features), len(truth)
    for row in (0, 7, n - 1):
        kept = np.delete(np.arange(n), row)
        inside = np.column_stack([np.ones(n - 1), seen[kept]])
        penalty = strength * n * np.diag([0.0] + [1.0] * shape[1])
        inner = np.linalg.solve(inside.T @ inside + penalty, inside.T @ truth[kept])
        np.testing.assert_allclose(found[row], np.append(1.0, seen[row]) @ inner, atol=1e-3)


@pytest.mark.parametrize("output", [CLASSES, LABELS])
def test_scores_become_probabilities_that_fit_left_out_rows(output):
    features, truth = data(output)
    held, held_truth = data(output, seed=0)[0][100:], data(output)[1][100:]
    head = heads.solve("ridge", 0.1, features[:100], truth[:100], output)
    plain = heads.loss(output, np.zeros((50, 3)), held_truth)
    assert heads.loss(output, head.raw(held), held_truth) < 0.9 * plain
    for factor in (0.5, 2.0):
        worse = head.raw(held) * factor
        assert heads.loss(output, head.raw(held), held_truth) < heads.loss(output, worse, held_truth) + 0.03


def test_rows_that_are_told_apart_without_fault_have_finite_heads():
    features = np.concatenate([np.eye(4, dtype=np.float32)] * 5)
    truth = np.arange(20) % 4 % 3
    for kind in ("ridge", "logistic"):
        head = heads.solve(kind, 1e-6, features, truth, CLASSES)
        assert np.isfinite(head.weights).all() and (head.raw(features).argmax(1) == truth).all()
    single = heads.solve("ridge", 1.0, features[:1], truth[:1], CLASSES)
    assert np.isfinite(single.bias).all() and not single.weights.any()


def test_the_strength_is_chosen_on_left_out_rows():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 200)).astype(np.float32)
    truth = (features[:, 0] + 0.5 * rng.normal(size=60) > 0).astype(np.int64)
    output = replace(CLASSES, size=2)
    grid = np.logspace(-4, 4, 9)
    for kind in ("ridge", "logistic"):
        losses = [heads.loss(output, heads.left_out(kind, one, features, truth, output), truth) for one in grid]
        assert 0 < int(np.argmin(losses)) < 8, "neither end of the grid"


@pytest.mark.parametrize("output", [CLASSES, LABELS], ids=lambda output: output.loss)
def test_logistic_heads_are_judged_by_rows_that_they_have_not_seen(output):
    features, truth = data(output, (300, 40))
    for strength in (1.0, 1e-2):
        found = heads.left_out("logistic", strength, features, truth, output)
        for out in heads.validate.spread(truth, 5):
            inside = np.setdiff1d(np.arange(300), out)
            solvers.forget()
            plain = heads.solve("logistic", strength, features[inside], truth[inside], output)
            near = heads.finish(output.post, plain.raw(features[out]))
            np.testing.assert_allclose(heads.finish(output.post, found[out]), near, atol=0.03)


def test_judging_strengths_costs_one_decomposition(monkeypatch):
    made = []
    start = decompose.Decomposition.__init__
    monkeypatch.setattr(decompose.Decomposition, "__init__", lambda self, *a: (made.append(1), start(self, *a))[1])
    features, truth = data(CLASSES)
    for strength in (1e-2, 1e-1, 1.0):
        heads.solve("logistic", strength, features, truth, CLASSES)
        heads.left_out("logistic", strength, features, truth, CLASSES)
    assert len(made) == 1


def test_folds_spread_the_classes():
    truth = np.array([0] * 10 + [1] * 5)
    for rows in heads.validate.spread(truth, 5):
        assert (np.bincount(truth[rows], minlength=2) == [2, 1]).all()


# ---- once ----------------------------------------------------------------------------------------------------------


def test_many_strengths_cost_one_decomposition(monkeypatch):
    made = []
    start = decompose.Decomposition.__init__
    monkeypatch.setattr(decompose.Decomposition, "__init__", lambda self, *a: (made.append(1), start(self, *a))[1])
    features, truth = data(CLASSES)
    for strength in np.logspace(-4, 4, 16):
        heads.solve("ridge", strength, features, truth, CLASSES)
    heads.solve("logistic", 1.0, features.copy(), truth, CLASSES)
    heads.path("ridge", [1.0, 2.0], features, (truth + 1) % 3, CLASSES)
    assert len(made) == 1
    heads.solve("ridge", 1.0, features[1:], truth[1:], CLASSES)
    assert len(made) == 2


def test_the_path_begins_each_solution_at_the_one_before(monkeypatch):
    features, truth = data(CLASSES, (300, 60))
    calls = []
    loss = heads.logistic.Logistic._loss
    monkeypatch.setattr(heads.logistic.Logistic, "_loss", lambda self, *given: (calls.append(1), loss(self, *given))[1])
    grid = list(np.logspace(-3, 2, 21))
    path = heads.path("logistic", grid, features, truth, CLASSES)
    warm = len(calls)
    for strength, head in zip(grid, path, strict=True):
        solvers.forget()
        cold = heads.solve("logistic", strength, features, truth, CLASSES)
        np.testing.assert_allclose(head.raw(features), cold.raw(features), atol=0.02)
    assert warm < len(calls) - warm


def test_what_is_kept_in_memory_has_a_limit(monkeypatch):
    monkeypatch.setattr(solvers, "MOST_BYTES", 120_000)
    for seed in range(8):
        heads.solve("ridge", 1.0, *data(CLASSES, seed=seed), CLASSES)
    assert 1 <= len(solvers._parts) < 8 and len(solvers._solvers) == len(solvers._parts)


# ---- refused -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_solved_is_said():
    features, truth = data(CLASSES)
    assert heads.solvable(Problem(name="p", inputs=("image",), outputs=(CLASSES, replace(LABELS, loss="focal"))))
    dense = replace(CLASSES, head="dense")
    assert not heads.solvable(Problem(name="p", inputs=("image",), outputs=(CLASSES, dense)))
    assert heads.refusal(dense) == "only pooled heads can be solved, but 'a' is dense"
    with pytest.raises(ValueError, match=r"heads can be solved for cross_entropy, .* but 'a' has dice"):
        heads.solve("ridge", 1.0, features, truth, replace(CLASSES, loss="dice"))
    with pytest.raises(ValueError, match="heads are solved by ridge or logistic, but got 'lasso'"):
        heads.solve("lasso", 1.0, features, truth, CLASSES)
    with pytest.raises(ValueError, match="the same rows, at least one"):
        heads.solve("ridge", 1.0, features[:3], truth, CLASSES)


@pytest.mark.parametrize("output", [CLASSES, LABELS, NUMBERS])
def test_the_loss_is_that_of_the_vocabulary(output):
    features, truth = data(output)
    raw = features[:, : output.size] / 100
    assert heads.loss(output, raw, truth) == pytest.approx(reference.loss(output, raw, truth))


def test_lbfgs_finds_the_bottom_of_a_narrow_valley():
    scales = np.logspace(0, 2, 30)

    def valley(point):
        return float((scales * (point - 1) ** 2).sum() / 2), scales * (point - 1)

    np.testing.assert_allclose(lbfgs.minimise(valley, np.zeros(30), 1e-9), np.ones(30), atol=1e-6)


# ---- many rows of many features ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width, exact", [(20, True), (90, False)])
def test_of_many_rows_some_tell_the_directions(monkeypatch, width, exact):
    features, targets = data(CLASSES, (150, width))
    whole = heads.solve("ridge", 0.1, features, targets, CLASSES).raw(features)
    solvers.forget()
    monkeypatch.setattr(decompose, "MANY", 10)
    monkeypatch.setattr(decompose, "MOST", 60)
    found = heads.solve("ridge", 0.1, features, targets, CLASSES).raw(features)
    assert decompose.Decomposition(features, np.ones(150)).directions.shape[1] == min(width - 1, 60)
    if exact:  # so many rows span all features
        np.testing.assert_allclose(centred(found), centred(whole), atol=1e-3)
    assert (found.argmax(1) == whole.argmax(1)).mean() > 0.8
