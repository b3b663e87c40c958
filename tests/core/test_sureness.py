"""How sure a model is of the right classes, and what it counts on few samples."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import counted
from autoft.errors import UsageError
from autoft.records import Metric
from autoft.tasks.metrics import compute, metrics
from autoft.tasks.sureness import sureness
from autoft.testing.toy_task import ToyTask
from autoft.trial import Trial

ACCURACY = metrics("images")[0]


def chances(logits: np.ndarray) -> np.ndarray:
    turned = np.exp(logits - logits.max(1, keepdims=True))
    return turned / turned.sum(1, keepdims=True)


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 3))


def test_boldness_does_not_count(logits: np.ndarray) -> None:
    truth = logits.argmax(1)
    truth[::4] = (truth[::4] + 1) % 3
    plain, bold, shy = (compute("sureness", chances(k * logits), truth, truth) for k in (1.0, 2.0, 0.5))
    assert bold == pytest.approx(plain, abs=1e-6) and shy == pytest.approx(plain, abs=1e-6)
    assert 0.34 < plain < 0.9


def test_who_says_all_or_nothing_is_as_sure_as_right(logits: np.ndarray) -> None:
    truth = logits.argmax(1)
    truth[::4] = (truth[::4] + 1) % 3
    told = compute("sureness", chances(1000.0 * logits), truth, truth)
    assert told == pytest.approx(0.75**2 + 0.25**2 / 2, abs=0.04), "three of four: .75 each time"
    assert told < compute("sureness", chances(logits), truth, truth) + 0.1


def test_of_as_many_right_ones_the_better_reasons_count(logits: np.ndarray) -> None:
    truth = np.zeros(60, int)
    wrong = np.arange(60) % 3 == 0
    near, far = np.zeros((60, 3)), np.zeros((60, 3))
    near[:, 0], near[wrong, 1] = 1.0, 1.1
    far[:, 0], far[wrong, 1] = 1.0, 4.0
    assert sureness(chances(near), truth).mean() > sureness(chances(far), truth).mean() + 0.05


def test_classes_count_alike_where_the_metric_has_them_so() -> None:
    truth = np.array([0] * 9 + [1])
    probability = np.tile([0.9, 0.1], (10, 1))
    single = sureness(probability, truth)
    assert compute("sureness", probability, truth, truth) == pytest.approx(single.mean())
    alike = compute("balanced_sureness", probability, truth, truth)
    assert alike == pytest.approx((single[0] + single[9]) / 2) and alike < single.mean()
    assert [metric.finer.name if metric.finer else "" for metric in metrics("images")] == [
        "sureness",
        "balanced_sureness",
        "balanced_sureness",
        "",
        "",
    ]


def test_nothing_and_certainty_are_numbers() -> None:
    truth = np.array([0, 1])
    assert compute("sureness", np.eye(2), truth, truth) == pytest.approx(1.0, abs=1e-6)
    assert np.isfinite(compute("sureness", np.eye(2)[::-1], truth, truth))
    assert np.isnan(compute("sureness", np.zeros((0, 2)), truth[:0], truth[:0]))


def test_it_is_asked_for_on_few_samples_alone() -> None:
    assert counted.names(counted.on(ACCURACY, 999)) == ["accuracy", "sureness"]
    assert counted.names(counted.on(ACCURACY, 1000)) == ["accuracy"]
    assert counted.names(replace(ACCURACY, finer=None)) == ["accuracy"]
    values = {"accuracy": 0.5, "sureness": 0.25}
    assert counted.told(ACCURACY, values) == {"accuracy": 0.5}
    assert counted.finer(ACCURACY, values) == 0.25
    assert counted.finer(ACCURACY, {"accuracy": 0.5}) is None


def test_it_counts_twice_beside_the_score_that_cross_validation_leaves() -> None:
    assert counted.selection_score(0.9, None, "max", 0.6) == pytest.approx(0.7)
    assert counted.selection_score(0.9, 0.75, "max", 0.6) == pytest.approx(0.65)
    assert counted.selection_score(0.1, 0.2, "min", 0.5) == pytest.approx(0.4)


SURE = replace(ToyTask.metrics[0], finer=Metric(name="sureness"))


@pytest.fixture
def sure(monkeypatch):
    """The toy task can tell how sure a model is."""
    plain = ToyTask.score

    def score(self, decoded, targets, schema, names):
        found = plain(self, decoded, targets, schema, [name for name in names if name != "sureness"])
        if "sureness" in names:
            found["sureness"] = float(sureness(decoded["probability"], targets["label"]).mean())
        return found

    monkeypatch.setattr(ToyTask, "score", score)


@pytest.mark.usefixtures("sure")
@pytest.mark.parametrize("metric", [SURE, replace(SURE, finer=None)])
def test_a_report_tells_it_apart_from_its_metrics(make_spec, metric: Metric) -> None:
    report = Trial(replace(make_spec(recipe={"epochs": 1}), metric=metric)).step()
    assert set(report.metrics) == {"accuracy"} and report.score == report.metrics["accuracy"]
    assert (report.finer is not None) == (metric.finer is not None)


def test_it_has_the_direction_of_its_metric() -> None:
    with pytest.raises(UsageError, match="log_loss mode=min"):
        replace(ACCURACY, finer=Metric(name="log_loss", mode="min"))


@pytest.mark.usefixtures("sure")
def test_of_a_solved_head_left_out_rows_count_too(make_spec) -> None:
    recipe = {"freeze": 1.0, "optimizer": "solve", "head_init": "ridge", "head_strength": 0.1}
    trial = Trial(replace(make_spec(recipe=recipe), metric=SURE))
    report = trial.step()
    own = trial._validate()["sureness"]
    assert report.combined is not None and report.finer is not None
    assert report.finer <= own, "no more than validation says"
