"""The model of a running trial in `best/`: before it ends, and not after it failed."""

import shutil

from autoft import run
from autoft.atomic import replace_folder
from autoft.recipe import Recipe
from autoft.records import DataRef, EpochReport, ModelCard, Problem, Schema, TrialSpec
from tests.core import test_run
from tests.core.test_run import TASK, add, published

writer = test_run.writer


def running(writer, number, score, epoch=1, **fields):
    """A running trial reports; its model is there."""
    place = writer.trial_folder(number)
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").unlink(missing_ok=True)  # models are replaced, never edited
    (place / "config.json").write_text(f"model of t{number:04d} after {epoch}")
    card = ModelCard(name="numpy/mlp", backend="numpy", modality="image")
    spec = trial_spec(writer, number, card)
    writer.saw(spec, EpochReport(epoch=epoch, score=score, metrics={}, train_loss=1.0, seconds=1.0, **fields))


def trial_spec(writer, number, card):
    return TrialSpec(
        api="1",
        number=number,
        task=TASK,
        backend="numpy",
        card=card,
        problem=Problem(name="none", inputs=(), outputs=()),
        schema=Schema(task=TASK),
        recipe=Recipe(),
        data=DataRef(store="", fingerprint="", dataset="", splits=""),
        metric=writer.metric,
        seed=0,
        folder=str(writer.trial_folder(number)),
    )


def test_the_model_of_a_running_trial_is_there_before_it_ends(writer):
    made = writer()
    running(made, 0, 0.5)
    assert (published(made), made.best) == ("t0000 after 1", None)
    running(made, 1, 0.4)
    running(made, 0, 0.6, 2)
    assert published(made) == "t0000 after 2"
    assert add(made, 2, 0.55), "the best of those that have ended"
    assert published(made) == "t0000 after 2", "and still not the best there is"
    running(made, 0, 0.65, 3, done="epochs done")
    assert published(made) == "t0000 after 2", "it ends in a moment"
    assert add(made, 0, 0.65)
    assert published(made) == "t0000"
    assert not list(made.path.glob(".best*"))


def test_only_the_epoch_whose_model_is_there_counts(writer):
    made = writer()
    running(made, 0, 0.92, finer=0.80)
    made.saw(
        trial_spec(made, 0, ModelCard(name="numpy/mlp", backend="numpy", modality="image")),
        EpochReport(epoch=2, score=0.91, metrics={}, train_loss=1.0, seconds=1.0, finer=0.84),
    )
    running(made, 1, 0.9, finer=0.82)
    assert published(made) == "t0001 after 1", "the second epoch of the other one has no model"


def test_a_running_trial_that_fails_leaves_the_lead_to_the_best_that_ended(writer):
    made = writer()
    running(made, 0, 0.5)
    add(made, 0, None, status="failed", reason="TrialFailed: no")
    assert published(made) is None
    add(made, 1, 0.3)
    running(made, 2, 0.9)
    assert published(made) == "t0002 after 1"
    add(made, 2, None, status="failed", reason="TrialFailed: no")
    assert published(made) == "t0001"


def test_a_model_that_is_replaced_while_it_is_copied_is_not_taken(writer, monkeypatch):
    made = writer()
    add(made, 0, 0.3)

    copy = shutil.copytree

    def overtaken(source, target, **how):
        copy(source, target, **how)
        fresh = made.path / "fresh"
        copy(source, fresh)
        replace_folder(fresh, source)

    with monkeypatch.context() as patch:
        patch.setattr(run.shutil, "copytree", overtaken)
        running(made, 1, 0.9)
    assert published(made) == "t0000"
    running(made, 1, 0.9, 3)
    assert published(made) == "t0001 after 3"


def test_a_running_model_that_cannot_be_shown_ends_nothing(writer, monkeypatch):
    made = writer()

    def full(source, target, **how):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run.shutil, "copytree", full)
        running(made, 0, 0.5)
    assert published(made) is None and not list(made.path.glob(".best*"))
    with monkeypatch.context() as patch:
        patch.setattr(run.os, "link", full)
        running(made, 0, 0.5, 2)
    assert published(made) == "t0000 after 2", "without links it is copied"
