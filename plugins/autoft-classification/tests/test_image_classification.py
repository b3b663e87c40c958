"""What is particular to classification: classes, messages, metrics and tables."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from autoft.api import DataError, Dataset, Sample, Schema, natural
from autoft_classification._task import ImageClassification

NAMES = [metric.name for metric in ImageClassification.metrics]


def dataset(labels: Sequence[object]) -> Dataset:
    samples = tuple(Sample(id=f"s{n}", fields={"image": f"{n}.png", "label": label}) for n, label in enumerate(labels))
    return Dataset(samples=samples, reader="here", root="here", recognised="labels in a list")


def scores(probability: list[list[float]], truth: list[int], names: Sequence[str] = NAMES) -> dict[str, float]:
    task, schema = ImageClassification(), Schema(task="image-cls", classes=tuple("abc"[: len(probability[0])]))
    decoded = task.decode({"label": np.array(probability)}, schema, task.formulations(schema)[0])
    return task.score(decoded, {"label": np.array(truth)}, schema, names)


def test_classes_are_sorted_as_people_count() -> None:
    assert natural(["10", "9", "2", "02"]) == ["02", "2", "9", "10"]
    assert natural(["b", "A", "a", "B"]) == ["A", "a", "B", "b"]
    assert natural(["fold10x", "fold9y", "fold"]) == ["fold", "fold9y", "fold10x"]
    assert natural(["9" * 5000, "8", "²"])[0] == "8"


def test_numbers_are_class_names() -> None:
    assert ImageClassification().schema(dataset([1, 10, 2, 1])).classes == ("1", "2", "10")


@pytest.mark.parametrize("labels", [["cat"] * 3, []])
def test_one_class_is_refused(labels: list[str]) -> None:
    with pytest.raises(DataError, match="at least 2 classes") as caught:
        ImageClassification().schema(dataset(labels))
    assert "--target" in caught.value.hint


def test_a_class_for_each_sample_is_refused() -> None:
    with pytest.raises(DataError, match="each of the 3 samples has a class of its own"):
        ImageClassification().schema(dataset(["img1", "img2", "img3"]))


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_missing_label_names_its_sample(missing: object) -> None:
    with pytest.raises(DataError, match="'s1' has none"):
        ImageClassification().schema(dataset(["a", missing, "b"]))


def test_unknown_class_names_the_nearest() -> None:
    task = ImageClassification()
    schema = task.schema(dataset(["bees", "ants", "ants"]))
    with pytest.raises(DataError, match=r"'s0' has 'bee'. Did you mean 'bees'\? Known: 'ants', 'bees'"):
        task.encode(dataset(["bee"]).samples, schema, task.formulations(schema)[0])


def test_spellings_and_imbalance_are_told() -> None:
    schema = ImageClassification().schema(dataset(["Cat", "cat ", "dog"] + ["bird"] * 30))
    assert schema.extra["counts"] == [30, 1, 1, 1]
    spelling, uneven = schema.extra["warnings"]
    assert spelling == "'Cat' and 'cat ' differ only in case or spaces, but count as 2 classes."
    assert "'bird' has 30 samples" in uneven and "has 1;" in uneven
    assert ImageClassification().schema(dataset(["a", "a", "b", "b"])).extra["warnings"] == []


def test_metrics_by_hand() -> None:
    probability = [[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]
    found = scores(probability, [0, 0, 1, 1])
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == 0.75
    assert math.isclose(found["macro_f1"], (2 * 2 / 5 + 2 * 1 / 3) / 2)
    assert math.isclose(found["log_loss"], -math.log(0.8 * 0.6 * 0.6 * 0.3) / 4, rel_tol=1e-6)
    assert found["roc_auc"] == 0.75


def test_a_class_that_does_not_occur() -> None:
    found = scores([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]], [0, 1, 1])
    assert math.isnan(found["roc_auc"])
    assert found["balanced_accuracy"] == 0.75, "class c has no recall, so it counts nowhere"
    assert math.isfinite(found["log_loss"])


def test_certain_and_wrong_is_finite() -> None:
    assert 10 < scores([[1.0, 0.0], [0.0, 1.0]], [1, 0])["log_loss"] < 50


def test_no_rows_have_no_score() -> None:
    task, schema = ImageClassification(), Schema(task="image-cls", classes=("a", "b"))
    decoded = task.decode({"label": np.zeros((0, 2), np.float32)}, schema, task.formulations(schema)[0])
    found = task.score(decoded, {"label": np.zeros(0, np.int64)}, schema, NAMES)
    assert list(found) == NAMES and all(math.isnan(value) for value in found.values())


def test_table_rows() -> None:
    task, schema = ImageClassification(), Schema(task="image-cls", classes=("a", "b"))
    decoded = task.decode({"label": np.array([[0.25, 0.75]])}, schema, task.formulations(schema)[0])
    assert list(task.rows(decoded, schema)) == [{"prediction": "b", "confidence": 0.75, "p_a": 0.25, "p_b": 0.75}]


def test_accuracy_does_not_load_sklearn() -> None:
    code = (
        "import sys, numpy as np; from autoft.api import Schema\n"
        "from autoft_classification._task import ImageClassification\n"
        "decoded = {'probability': np.array([[0.2, 0.8]]), 'index': np.array([1])}\n"
        "truth = {'label': np.array([1])}\n"
        "print(ImageClassification().score(decoded, truth, Schema(task='x'), ['accuracy']))\n"
        "assert 'sklearn' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "{'accuracy': 1.0}"
