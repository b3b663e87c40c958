"""A trial that begins with the model of another one: what it takes over, and when it is refused."""

import pytest

from autoft.errors import TrialFailed
from autoft.records import Fold
from autoft.trial import Trial
from tests.core import told
from tests.core.test_trial import kept, run, same, weights


def test_a_trial_goes_on_from_the_model_of_another_one(make_spec):
    first = make_spec(recipe={"epochs": 6, "lr": 0.01, "patience": 0})
    run(first)
    second = make_spec(number=2, recipe={"epochs": 2, "lr": 0.0, "freeze": 0.5}, start=first.folder)
    reports = run(second)
    assert [r.score for r in reports] == [kept(first).score] * 2, "with a rate of 0 it stays what it was"
    assert same(weights(second), weights(first))


def test_a_model_that_is_gone_or_has_seen_the_validation_part_is_refused(make_spec, data_ref, ids, tmp_path):
    with pytest.raises(TrialFailed, match="there is none at"):
        Trial(make_spec(start=str(tmp_path / "gone")))
    first = make_spec()
    run(first)
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    for fields in ({"data": data_ref(folds)}, {"division": 1}):
        with pytest.raises(TrialFailed, match="cannot begin with the model of another one"):
            Trial(make_spec(number=2, start=first.folder, **fields))


def test_a_learner_that_cannot_take_over_weights_says_so(make_spec):
    with pytest.raises(TrialFailed, match="cannot begin with"):
        Trial(make_spec(told.PLAIN, start="anywhere"))
