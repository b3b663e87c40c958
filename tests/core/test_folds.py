"""Folds of few rows are scored together where the metric allows it, and nothing is set by the rows that it is scored
on."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import folds
from autoft.records import Metric, Output, Problem, Schema
from autoft.scoring import Answers
from autoft.tasks import labelmetrics, metrics, numbers
from autoft.tasks.regression import Regression

OUTPUT = Output(name="value", head="pooled", size=1, loss="mse", post="identity", target="value")
PROBLEM = Problem(name="mse", inputs=("text",), outputs=(OUTPUT,))
SCHEMA = Schema(task="numbers", extra={"value": [0.0, 1.0]})
R2 = numbers.METRICS[0]


class Numbers(Regression):
    name, modality, inputs = "numbers", "text", ("text",)


class Plain(Numbers):
    """Sets nothing."""

    calibrate = None  # type: ignore[assignment]
    settled = None  # type: ignore[assignment]


def spec_of(make_spec, metric: Metric = R2, schema: Schema = SCHEMA):
    return replace(make_spec(), problem=PROBLEM, schema=schema, metric=metric)


def answers(said: np.ndarray, truth: np.ndarray) -> Answers:
    return Answers({"value": said}, {"value": truth.astype(np.float32)[:, None]})


def few(seed: int, explained: float = 0.3, rows: int = 40, parts: int = 5) -> list[Answers]:
    """Folds of few rows each, of which a predictor explains this share."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(rows)
    said = explained * truth + np.sqrt(explained * (1 - explained)) * rng.standard_normal(rows)
    return [answers(s, t) for s, t in zip(np.array_split(said, parts), np.array_split(truth, parts), strict=True)]


def median(schema: Schema = SCHEMA) -> Schema:
    return Numbers().aimed(schema, "mae")  # nothing is set


def test_r2_of_folds_of_few_rows_is_that_of_all_rows(make_spec):
    task, spec = Numbers(), spec_of(make_spec, schema=median())
    found = [folds.judged(task, few(seed), spec).metrics["r2"] for seed in range(40)]
    apart = replace(spec, metric=replace(R2, together=False))
    means = [folds.judged(task, few(seed), apart).metrics["r2"] for seed in range(40)]
    assert abs(np.mean(found) - 0.3) < 0.1 and np.mean(means) < 0.2
    assert np.std(found) < 0.7 * np.std(means)


def test_one_fold_of_one_row_does_not_make_a_trial_fail(make_spec):
    parts = few(0)
    lonely = [answers(part.decoded["value"][:1], part.truth["value"][:1, 0]) for part in parts[:1]]
    score = folds.judged(Numbers(), [*parts, *lonely], spec_of(make_spec)).metrics["r2"]
    assert np.isfinite(score)


def test_what_is_ranked_across_models_is_not_joined(make_spec):
    ranked = {m.name for m in (*numbers.METRICS, *labelmetrics.METRICS, *metrics.metrics("rows")) if not m.together}
    assert ranked == {"spearman", "map", "roc_auc"}
    # two models that rank alike, at levels of their own
    said, truth = np.arange(6.0), np.arange(6.0)
    parts = [answers(said, truth), answers(said - 100, truth + 1)]
    spearman = next(m for m in numbers.METRICS if m.name == "spearman")
    score = folds.judged(Numbers(), parts, spec_of(make_spec, spearman, median())).metrics["spearman"]
    assert score == pytest.approx(1)


def test_a_fold_is_scored_by_what_the_others_say(make_spec):
    """What is set on rows of noise looks better on these than on others."""
    rng, task, spec = np.random.default_rng(0), Numbers(), spec_of(make_spec)
    gains = []
    for _ in range(60):
        parts = [answers(rng.standard_normal(8), rng.standard_normal(8)) for _ in range(5)]
        honest = folds.judged(task, parts, spec)
        said, truth = (np.concatenate([p[i]["value"].ravel() for p in parts]) for i in (0, 1))
        line = honest.schema.extra["calibrated"]
        same = numbers.compute("r2", line["offset"] + line["slope"] * said, truth)
        gains.append(same - honest.metrics["r2"])
    assert np.mean(gains) > 0.02


def test_of_one_fold_each_half_is_scored_by_what_the_other_says(make_spec):
    rng, task, spec = np.random.default_rng(0), Numbers(), spec_of(make_spec)
    gains = []
    for _ in range(60):
        part = answers(rng.standard_normal(30), rng.standard_normal(30))
        honest = folds.judged(task, [part], spec)
        line = honest.schema.extra["calibrated"]
        said = line["offset"] + line["slope"] * part.decoded["value"]
        gains.append(numbers.compute("r2", said, part.truth["value"].ravel()) - honest.metrics["r2"])
    assert np.mean(gains) > 0.01
    few = answers(rng.standard_normal(6), rng.standard_normal(6))
    assert np.isfinite(folds.judged(task, [few], spec).metrics["r2"])
    settled = folds.judged(task, [part], spec, schema=honest.schema)
    assert settled.metrics["r2"] == pytest.approx(honest.metrics["r2"] + gains[-1]), "set by other rows, as it is"


def test_one_fold_is_set_by_left_out_rows_of_training_too(make_spec):
    rng, task, spec = np.random.default_rng(1), Numbers(), spec_of(make_spec)
    part = answers(rng.standard_normal(10), 0.1 * rng.standard_normal(10))
    more = answers(rng.standard_normal(400), 0.1 * rng.standard_normal(400))
    alone, both = (folds.judged(task, [part], spec, more=m) for m in (None, more))
    slopes = [one.schema.extra["calibrated"]["slope"] for one in (alone, both)]
    assert slopes[1] < 0.2 < slopes[0]
    assert both.metrics["r2"] > alone.metrics["r2"]


def test_arrays_of_other_widths_are_scored_fold_by_fold(make_spec):
    class Wide(Plain):
        def score(self, decoded, targets, schema, names):
            return dict.fromkeys(names, float(decoded["value"].shape[1]))

    parts = [Answers({"value": np.zeros((2, width))}, {}) for width in (1, 3)]
    assert folds.judged(Wide(), parts, spec_of(make_spec)).metrics == {"r2": 2.0}
