"""A trial whose recipe leaves the precision open, and whose learner chooses."""

from pathlib import Path

import pytest

from autoft import artifact
from autoft.events import Note
from autoft.pipeline.watch import Watch
from autoft.records import EpochReport, Fold
from autoft.registry import load
from autoft.search.outcome import result_of
from autoft.testing.numpy_learner import NumpyLearner
from autoft.trial import Trial


@pytest.fixture
def choosing(monkeypatch):
    """The recipes that learners were built with; those that leave it open choose bf16."""
    built = []

    def chosen(self) -> str:
        built.append(self.job.recipe.precision)
        return "bf16" if self.job.recipe.precision == "auto" else ""

    monkeypatch.setattr(NumpyLearner, "precision_chosen", chosen, raising=False)
    return built


def test_what_was_chosen_is_in_the_report_the_result_and_the_model(make_spec, choosing):
    spec = make_spec(recipe={"precision": "auto", "epochs": 2})
    trial = Trial(spec)
    reports = [trial.step(), trial.step()]
    assert [report.precision for report in reports] == ["bf16", "bf16"]
    assert result_of(spec, reports, "finished", "", "").recipe.precision == "bf16"
    assert artifact.read(Path(spec.folder)).recipe.precision == "bf16"
    assert trial.parts[0].job.recipe.precision == "bf16" and trial.prefix.spec.recipe.precision == "bf16"


def test_all_folds_have_the_choice_of_the_first(make_spec, choosing, data_ref, ids):
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    trial = Trial(make_spec(recipe={"precision": "auto"}, data=data_ref(folds)))
    assert choosing == ["auto", "bf16"]
    assert [part.job.recipe.precision for part in trial.parts] == ["bf16", "bf16"]


@pytest.mark.parametrize("given", ["fp32", "bf16"])
def test_what_the_recipe_says_stays(make_spec, choosing, given):
    spec = make_spec(recipe={"precision": given, "epochs": 1})
    report = Trial(spec).step()
    assert report.precision == ""
    assert result_of(spec, [report], "finished", "", "").recipe.precision == given


def test_what_cannot_choose_stays_open(make_spec):
    spec = make_spec(recipe={"precision": "auto", "epochs": 1})
    report = Trial(spec).step()
    assert report.precision == "" and result_of(spec, [report], "finished", "", "").recipe.precision == "auto"


def test_that_a_network_is_not_trained_in_fp32_is_told_once(make_spec):
    heard = []

    class Deaf:
        def __getattr__(self, name):
            return lambda *args, **kwargs: None

    watch = Watch(Deaf(), Deaf(), heard.append, load())
    for number, precision in enumerate(["fp32", "bf16", "", "bf16"]):
        watch.started(make_spec(number=number))
        report = EpochReport(epoch=1, score=0.5, metrics={}, train_loss=1.0, seconds=1.0, precision=precision)
        watch.reported(number, report)
    told = [event.text for event in heard if isinstance(event, Note)]
    name = make_spec().card.name
    assert told == [f"{name} is trained in bf16, which is quicker on this CPU; precision=fp32 keeps it from that"]


def test_what_is_found_out_once_is_no_part_of_a_trial(make_spec, choosing, monkeypatch):
    """Later processes do not find it out, so nothing is kept back for it."""
    taken = iter([0.0, 100.0])
    monkeypatch.setattr("autoft.measured.taken", lambda: next(taken))
    report = Trial(make_spec(recipe={"precision": "auto", "epochs": 1})).step()
    assert report.build_seconds < 0 and report.seconds < 0, "a hundred seconds less than they were"
