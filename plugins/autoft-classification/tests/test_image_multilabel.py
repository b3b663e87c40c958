"""What is particular to several labels: metrics as scikit-learn has them, thresholds, strata, messages and tables."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from autoft.api import DataError, Dataset, Sample, Schema, rarest
from autoft.tasks import labelmetrics, thresholds
from autoft_classification._multilabel import ImageMultiLabel

TASK = ImageMultiLabel()
SCHEMA = Schema(task=TASK.name, classes=("cat", "dog", "owl"))
PROBLEM = TASK.formulations(SCHEMA)[0]


def dataset(several: list[list[str] | None]) -> Dataset:
    samples = tuple(
        Sample(id=f"s{n}", fields={"image": f"{n}.png", **({} if names is None else {"labels": names})})
        for n, names in enumerate(several)
    )
    return Dataset(samples=samples, reader="here", root="here", recognised="labels in a list")


@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = (rng.random((60, 4)) < [0.5, 0.1, 0.9, 0.3]).astype(np.float32)
    chances = rng.integers(0, 12, (60, 4)) / 11  # many are equal
    chosen = chances >= 0.5
    wanted = {
        "map": average_precision_score(truth, chances, average="macro"),
        "micro_f1": f1_score(truth, chosen, average="micro"),
        "macro_f1": f1_score(truth, chosen, average="macro"),
    }
    for name, value in wanted.items():
        assert math.isclose(labelmetrics.compute(name, chances, chosen, truth), value, rel_tol=1e-9), name


def test_labels_that_do_not_occur_are_left_out() -> None:
    truth = np.array([[1, 0], [0, 0]], np.float32)
    chances = np.array([[0.9, 0.2], [0.1, 0.8]])
    assert labelmetrics.compute("map", chances, chances > 0.5, truth) == 1.0
    assert labelmetrics.compute("macro_f1", chances, chances > 0.5, truth) == 0.5, "one chosen wrongly counts"
    assert labelmetrics.compute("macro_f1", chances, chances > 0.85, truth) == 1.0
    assert math.isnan(labelmetrics.compute("map", chances, chances > 0.5, np.zeros((2, 2))))


def test_the_threshold_of_a_label_is_where_its_f1_is_highest() -> None:
    rng = np.random.default_rng(0)
    truth = np.stack([np.arange(200) % 2, np.arange(200) % 4 == 0, np.arange(200) < 3], axis=1).astype(np.float32)
    spread = rng.normal(0, 0.02, (200, 3))
    chances = np.clip(np.array([0.1, 0.6, 0.3]) + truth * [0.1, 0.2, 0.3] + spread, 0, 1)
    found = thresholds.best(chances, truth)
    assert 0.12 < found[0] < 0.18 and 0.66 < found[1] < 0.74
    common = thresholds.best(chances.reshape(-1, 1), truth.reshape(-1, 1))[0]
    assert found[2] == common, "three samples are too few for a threshold of their own"
    for place in (0, 1):
        own = f1_score(truth[:, place], chances[:, place] >= found[place])
        grid = max(f1_score(truth[:, place], chances[:, place] >= t) for t in np.linspace(0.02, 0.98, 97))
        assert own >= grid - 1e-9


def test_thresholds_without_anything_to_find_are_one_half() -> None:
    assert thresholds.best(np.full((6, 2), 0.3), np.zeros((6, 2))) == [0.5, 0.5]
    assert thresholds.best(np.zeros((0, 2)), np.zeros((0, 2))) == [0.5, 0.5]


def test_thresholds_are_kept_by_name_and_used() -> None:
    truth = np.tile(np.array([[1, 0, 1], [0, 1, 0]], np.float32), (10, 1))
    chances = np.where(truth > 0, np.float32([0.3, 0.9, 0.6]), np.float32([0.1, 0.7, 0.2]))
    decoded = TASK.decode({"labels": chances}, SCHEMA, PROBLEM)
    kept = TASK.calibrate(decoded, {"labels": truth}, SCHEMA)
    assert list(kept.extra["calibrated"]) == ["threshold:cat", "threshold:dog", "threshold:owl"]
    settled = TASK.settled(decoded, kept)
    assert np.array_equal(settled["chosen"], truth > 0)
    assert not np.array_equal(decoded["chosen"], truth > 0), "one half is not good enough here"
    assert TASK.score(settled, {"labels": truth}, kept, ["macro_f1"]) == {"macro_f1": 1.0}


def test_details_are_by_label() -> None:
    truth = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    decoded = TASK.decode({"labels": np.float32([[0.9, 0.6, 0.1], [0.2, 0.7, 0.1]])}, SCHEMA, PROBLEM)
    found = TASK.details(decoded, {"labels": truth}, SCHEMA)
    assert found["ap:cat"] == found["ap:dog"] == found["f1:cat"] == 1.0
    assert math.isclose(found["f1:dog"], 2 / 3) and math.isnan(found["ap:owl"]) and math.isnan(found["f1:owl"])


def test_table_rows() -> None:
    decoded = TASK.decode({"labels": np.array([[0.75, 0.25, 0.5], [0.25, 0.25, 0.25]])}, SCHEMA, PROBLEM)
    first, second = TASK.rows(decoded, SCHEMA)
    assert first == {"prediction": "cat|owl", "p_cat": 0.75, "p_dog": 0.25, "p_owl": 0.5}
    assert second["prediction"] == ""


def test_both_losses_are_there_to_be_searched() -> None:
    assert [(p.name, p.outputs[0].loss, p.outputs[0].post) for p in TASK.formulations(SCHEMA)] == [
        ("binary_cross_entropy", "binary_cross_entropy", "sigmoid"),
        ("focal", "focal", "sigmoid"),
    ]


@pytest.mark.parametrize(
    ("several", "said"),
    [
        ([[], []], "no sample has any"),
        ([["cat"], ["cat"]], "all 2 samples have 'cat'"),
        ([["cat"], None], "'s1' has nothing that says so"),
    ],
)
def test_what_cannot_be_learned_is_said(several: list[list[str] | None], said: str) -> None:
    with pytest.raises(DataError, match=said):
        TASK.schema(dataset(several))


def test_an_unknown_label_names_the_nearest() -> None:
    with pytest.raises(DataError, match=r"'s0' has 'cats'. Did you mean 'cat'\? Known: 'cat', 'dog', 'owl'"):
        TASK.encode(dataset([["cats"]]).samples, SCHEMA, PROBLEM)


def test_what_is_odd_about_labels_is_told() -> None:
    schema = TASK.schema(dataset([["cat", "owl"]] * 12 + [["dog", "owl"]] * 3 + [["owl"]]))
    few, everywhere = schema.extra["warnings"]
    assert few == "'dog' is on fewer than 10 samples." and everywhere.startswith("'owl' is on every sample")
    assert TASK.schema(dataset([["cat"]] * 10 + [[]] * 10)).extra["warnings"] == [
        "10 of 20 samples have no label; the mean is 0.5 labels."
    ]
    assert "one class per sample" in TASK.schema(dataset([["cat"]] * 10 + [["dog"]] * 10)).extra["warnings"][0]


def test_strata_are_the_rarest_labels_and_small_ones_are_one() -> None:
    several = [["cat"]] * 60 + [["cat", "dog"]] * 25 + [["dog", "owl"]] * 12 + [["bee", "cat"]] * 11 + [[]] * 30
    assert Counter(rarest(several, "none")) == {"cat": 60, "dog": 25, "rare": 23, "none": 30}
    assert Counter(rarest(several[:90], "none")) == {"cat": 65, "dog": 25}, "too few for a word of their own"
