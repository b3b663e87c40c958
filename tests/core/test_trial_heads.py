"""Heads that are solved: on how many rows, and what their score rests on."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import headstart, scoring
from autoft.abilities import stands_on
from autoft.errors import TrialFailed
from autoft.records import Caching, View
from autoft.testing.numpy_learner import NumpyLearner
from autoft.trial import Trial
from tests.core import test_trial_prefix
from tests.core.test_trial_prefix import run

SOLVED = {"freeze": 1.0, "optimizer": "solve", "head_init": "ridge", "head_strength": 0.1}
cache_folder, extracted = test_trial_prefix.cache_folder, test_trial_prefix.extracted
CACHING = Caching(freezes=(1.0,), max_bytes=10**9)


@pytest.mark.parametrize("caching", [None, CACHING])
def test_the_combined_score_is_the_mean_over_both_parts(make_spec, caching):
    spec = make_spec(recipe=SOLVED, caching=caching)
    trial, (report,) = run(spec)
    part = trial.parts[0]
    part.learner.enter(None)
    features = np.concatenate([a for (a,) in part.learner.extract(part.train, part.learner.cuts()[-1:], View())])
    outputs = headstart.left_out(spec.recipe, part.job.problem, features, part.train.targets)
    decoded = trial.task.decode(outputs, spec.schema, spec.problem)
    cross = scoring.worth(trial.task, decoded, part.train.targets, spec).metrics["accuracy"]
    rows, others = len(part.train), len(part.val)
    assert report.combined == pytest.approx((cross * rows + report.score * others) / (rows + others), abs=1e-3)


def test_many_rows_that_validate_say_enough_by_themselves(make_spec, monkeypatch):
    monkeypatch.setattr("autoft.trial.FEW", 5)
    _, (report,) = run(make_spec(recipe=SOLVED))
    assert report.combined is None


def test_each_solution_tells_its_own_time_of_a_resample(make_spec, monkeypatch):
    monkeypatch.setattr("autoft.scoring.resample_seconds", lambda *_: 1.0)
    spec = make_spec(recipe=SOLVED)
    trial, (report,) = run(spec)
    other = trial.again(replace(spec, number=2, recipe=replace(spec.recipe, head_strength=1.0)))
    assert other is not None
    assert (report.resample_seconds, other.step().resample_seconds) == (1.0, 1.0), "not that of all before it"


def test_a_trial_that_trains_has_no_combined_score(make_spec):
    _, reports = run(make_spec(recipe={"epochs": 2, "head_init": "ridge"}))
    assert [report.combined for report in reports] == [None, None]


@pytest.mark.parametrize("caching", [None, CACHING])
def test_a_head_is_solved_on_as_many_rows_as_the_recipe_says(make_spec, caching, extracted):
    spec = make_spec(recipe={**SOLVED, "head_rows": 9}, caching=caching)
    trial = Trial(spec)
    every = trial.parts[0].train.rows
    rows, features = trial.prefix.features()
    assert len(rows) == len(features) == 9 and np.isin(rows, every).all() and (np.diff(rows) > 0).all()
    assert rows[0] < np.quantile(every, 0.2) and rows[-1] > np.quantile(every, 0.5), "spread over all of them"
    assert sum(count for *_, count in extracted) == 9 + bool(caching) * len(trial.parts[0].val), "no more is computed"
    assert trial.step().done == "the head is solved"


def test_more_rows_than_there_are_is_all_of_them(make_spec):
    trial = Trial(make_spec(recipe={**SOLVED, "head_rows": 10_000}))
    rows, _ = trial.prefix.features()
    assert rows.tolist() == sorted(trial.parts[0].train.rows.tolist())


# ---- all levels --------------------------------------------------------------------------------------------------


def test_one_pass_gives_the_last_features_and_those_of_all_levels(make_spec, extracted):
    caching = replace(CACHING, levels=True)
    plain = make_spec(recipe=SOLVED, caching=caching)
    run(plain)
    count = sum(rows for *_, rows in extracted)
    wide = replace(plain, number=2, folder=f"{plain.folder}-2", recipe=replace(plain.recipe, pooling="levels"))
    trial, (report,) = run(wide)
    assert sum(rows for *_, rows in extracted) == count > 0, "nothing is computed again"
    assert "(144), 0 of " in report.prefix and trial.prefix.cut == stands_on(trial.parts[0].learner, "levels")
    fresh = replace(wide, number=3, folder=f"{plain.folder}-3", caching=None)
    other, (again,) = run(fresh)
    assert again.score == report.score and again.combined == pytest.approx(report.combined)
    val = other.parts[0].val
    for name, values in trial.backend.load(trial.parts[0].job, Path(trial.spec.folder)).predict(val).items():
        np.testing.assert_allclose(values, other.parts[0].learner.predict(val)[name], atol=1e-5)


def test_features_of_all_levels_are_kept_where_they_are_asked_for_alone(make_spec, extracted):
    run(make_spec(recipe=SOLVED, caching=CACHING))
    before = len(extracted)
    run(make_spec(number=2, recipe={**SOLVED, "pooling": "levels"}, caching=CACHING))
    assert before and len(extracted) > before


def test_a_network_without_levels_says_so(make_spec, monkeypatch):
    monkeypatch.setattr(NumpyLearner, "levels", lambda self: None)
    with pytest.raises(TrialFailed, match="pooling=levels needs a network for images"):
        Trial(make_spec(recipe={**SOLVED, "pooling": "levels"}))
