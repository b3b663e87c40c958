"""What is particular to regression: scales, bins, messages and metrics by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoft.api import DataError, Dataset, Sample
from autoft.tasks import numbers as _numbers
from autoft_classification._regression import ImageRegression


def dataset(values: list[object]) -> Dataset:
    samples = tuple(Sample(id=f"s{n}", fields={"image": f"{n}.png", "value": v}) for n, v in enumerate(values))
    return Dataset(samples=samples, reader="here", root="here", recognised="numbers in a list")


def test_metrics_by_hand() -> None:
    truth, found = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 3.0, 2.0, 8.0])
    assert math.isclose(_numbers.compute("r2", found, truth), 1 - 6 / 14)
    assert math.isclose(_numbers.compute("rmse", found, truth), math.sqrt(6 / 4))
    assert math.isclose(_numbers.compute("mae", found, truth), 1.0)
    assert math.isclose(_numbers.compute("spearman", found, truth), 0.8)
    assert _numbers.compute("r2", -truth, truth) < 0


def test_metrics_that_do_not_apply() -> None:
    same = np.ones(3)
    assert math.isnan(_numbers.compute("r2", same, same)) and math.isnan(_numbers.compute("spearman", same, same))
    assert _numbers.compute("mae", same, same) == 0.0


def test_targets_are_scaled_and_turned_back() -> None:
    task, data = ImageRegression(), dataset([1, 2.0, "3", 1, 2, 300])
    schema = task.schema(data)
    for problem in task.formulations(schema):
        (scaled,) = task.encode(data.samples, schema, problem).values()
        assert math.isclose(float(scaled.mean()), 0, abs_tol=1e-6)
        assert math.isclose(float(scaled.std()), 1, rel_tol=1e-5)
        back = task.decode({"value": scaled}, schema, problem)["value"]
        assert np.allclose(back, [1, 2, 3, 1, 2, 300], rtol=1e-5)


def test_few_values_that_decide_the_score_are_named() -> None:
    values: list[object] = [float(v) for v in range(10, 70)] * 5
    assert ImageRegression().schema(dataset(values)).extra["warnings"] == []
    values[7], values[100] = 7000.0, 6100.0
    (said,) = ImageRegression().schema(dataset(values)).extra["warnings"]
    assert said.startswith("2 of 300 values are far from all others and make 99 % of the variance")
    assert "7000 ('s7'), 6100 ('s100'); the middle is 40" in said and "--metric mae or spearman" in said


@pytest.mark.parametrize("values", [[0.0] * 200 + [1.0, 2.0], [2.0**n for n in range(-9, 9)] * 10, [1.0, 2.0, 90.0]])
def test_values_that_are_merely_uneven_are_not(values: list[object]) -> None:
    assert ImageRegression().schema(dataset(values)).extra["warnings"] == []


def test_an_exploding_logarithm_is_held() -> None:
    scale = _numbers.scale(np.array([0.0, 1.0, 100.0]), log=True)
    assert np.isfinite(scale.predicted(np.array([1e6]))).all()


@pytest.mark.parametrize("formulation", ["log_mse", "mse"])
def test_truths_beyond_all_that_was_trained_on_are_scored_as_they_are(formulation: str) -> None:
    """A prediction is held where the exponential explodes; a truth that was held as well would make any model good."""
    rng = np.random.default_rng(0)
    task, trained = ImageRegression(), dataset(list(rng.lognormal(0, 1, 500)))
    schema = task.schema(trained)
    problem = next(p for p in task.formulations(schema) if p.name == formulation)
    values = np.array([0.5, 1.0, 2.0, 1e3, 1e4, 1e5])
    targets = task.encode(dataset(list(values)).samples, schema, problem)
    predicted = np.array([0.5, 1.0, 2.0, 30.0, 30.0, 30.0])
    found = task.score({"value": predicted}, targets, schema, ["r2", "rmse", "mae", "spearman"])
    for name, score in found.items():
        assert math.isclose(score, _numbers.compute(name, predicted, values), rel_tol=1e-5), name
    assert found["r2"] < 0


@pytest.mark.parametrize(("low", "spread"), [(1.7e9, 3e4), (2e3, 10.0), (1e-9, 1e-11), (0.0, 1e12), (-4e6, 1e3)])
def test_large_numbers_are_scored_as_exactly_as_small_ones(low: float, spread: float) -> None:
    """Targets are kept in 32 bits, but scaled: what is lost is a millionth of their spread, however large they are."""
    rng = np.random.default_rng(1)
    values = low + spread * rng.standard_exponential(400)
    task, data = ImageRegression(), dataset(list(values))
    schema = task.schema(data)
    near = values + 0.1 * spread * rng.standard_normal(400)
    for problem in task.formulations(schema):
        targets = task.encode(data.samples, schema, problem)
        found = task.score({"value": near}, targets, schema, ["r2", "rmse", "mae", "spearman"])
        for name, score in found.items():
            assert math.isclose(score, _numbers.compute(name, near, values), rel_tol=1e-4), (name, problem.name)
        exact = task.score({"value": values}, targets, schema, ["rmse"])["rmse"]
        assert exact < 1e-5 * spread, problem.name


def test_bins_hold_equal_values_together() -> None:
    words = _numbers.bins([0.0] * 70 + [float(n) for n in range(1, 61)])
    sizes = [words.count(word) for word in dict.fromkeys(words)]
    assert sizes == [70, 20, 20, 20] and words[0] == "0 to 0"
    assert set(_numbers.bins([1.0, 2.0, 3.0])) == {"1 to 3"}


@pytest.mark.parametrize(
    ("values", "said"),
    [([2, 2, 2], "all of them are 2"), ([1, "x"], "'x'"), ([1, None], "none"), ([], "there is none")],
)
def test_what_cannot_be_learned_is_said(values: list[object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        ImageRegression().schema(dataset(values))
