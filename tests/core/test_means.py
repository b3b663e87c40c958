"""What a model of numbers says becomes the mean that may be expected."""

from __future__ import annotations

import numpy as np
import pytest

from autoft.records import Schema
from autoft.tasks import means, numbers
from autoft.tasks.regression import Regression


def r2(line: means.Line, said: np.ndarray, truth: np.ndarray) -> float:
    return numbers.compute("r2", line.apply(said), truth)


def prices(rng: np.random.Generator, count: int, explained: float) -> tuple[np.ndarray, np.ndarray]:
    """The median that a model of logarithms says, and the price."""
    known, rest = rng.standard_normal(count), rng.standard_normal(count)
    return np.exp(0.8 * np.sqrt(explained) * known), np.exp(
        0.8 * (np.sqrt(explained) * known + np.sqrt(1 - explained) * rest)
    )


@pytest.mark.parametrize(("explained", "gain"), [(0.02, 0.04), (0.3, 0.01), (0.95, -0.002)])
def test_medians_become_means_and_nobody_is_hurt(explained: float, gain: float) -> None:
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(60):
        line = means.line(*prices(rng, 70, explained), log=True)
        said, truth = prices(rng, 2000, explained)
        gains.append(r2(line, said, truth) - r2(means.NONE, said, truth))
    assert np.mean(gains) > gain


def test_guesses_that_explain_nothing_become_one_number() -> None:
    rng = np.random.default_rng(0)
    said, truth = 3 + 0.5 * rng.standard_normal(400), 3 + rng.standard_normal(400)
    line = means.line(said, truth, log=False)
    assert line.slope < 0.3
    assert line.apply(np.array([3.0]))[0] == pytest.approx(3, abs=0.05), "around their own mean"


def test_guesses_that_hold_are_left_as_they_are() -> None:
    truth = np.arange(50.0)
    assert means.line(truth, truth, log=False) == means.NONE
    assert means.line(truth / 2, truth, log=False).slope == 1.0, "never spread further"


def test_few_rows_change_little() -> None:
    rng = np.random.default_rng(0)
    lines = [means.line(rng.standard_normal(4), rng.standard_normal(4), log=False) for _ in range(50)]
    assert min(line.slope for line in lines) > 0.8
    assert means.line(np.zeros(0), np.zeros(0), log=True) == means.NONE
    assert means.line(np.array([np.nan]), np.zeros(1), log=True) == means.NONE


def test_what_cannot_be_negative_stays_so() -> None:
    said, truth = np.array([1.0, 2.0, 3.0] * 20), np.array([0.1, 0.2, 0.3] * 20)
    line = means.line(said, truth, log=True)
    assert line.offset == 0 and 0 < line.slope < 1


def test_only_metrics_of_means_ask_for_them() -> None:
    task = Regression()
    plain = Schema(task="numbers", extra={"value": [0.0, 1.0]})
    decoded, targets = {"value": np.array([1.0, -1.0] * 20)}, {"value": np.zeros((40, 1), np.float32)}
    for metric, slope in (("r2", 1 / 3), ("rmse", 1 / 3), ("mae", 1.0), ("spearman", 1.0)):
        kept = task.calibrate(decoded, targets, task.aimed(plain, metric))
        assert task.settled(decoded, kept)["value"][0] == pytest.approx(slope)
        assert ("calibrated" in kept.extra) == (slope < 1)
    assert task.settled(decoded, plain)["value"].tolist() == decoded["value"].tolist(), "models of older searches"
