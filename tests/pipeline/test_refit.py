"""The best configuration is trained once more on all samples that are not test, where there is time for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from autoft import artifact, course, evaluate, refit, registry
from autoft.datarecords import EVERYTHING, DataRef, Fold, Splits
from autoft.events import Finished, Note
from autoft.pipeline import lasttraining
from autoft.pipeline.budget import FIRST_BUILD, REFIT, START, Budget
from autoft.pipeline.lasttraining import HOPE
from autoft.pipeline.search import run_search
from autoft.pipeline.train import run_train
from autoft.recipe import Recipe
from autoft.records import (
    EpochReport,
    Metric,
    ModelCard,
    Problem,
    Schema,
    TrialResult,
    TrialSpec,
    from_json,
)
from autoft.report import final
from autoft.run import Run
from tests.pipeline.conftest import Heard, cache, options


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def searched(images: Path, heard: Heard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One search on this machine alone, with a cache of its own."""
    changes: dict[str, Any] = {"scheduler": "", "trials": 4}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield run_search(options(images, tmp_path_factory.mktemp("refit"), **changes), heard)


def run_of(finished: Finished) -> Run:
    return Run(finished.folder)


def splits_of(finished: Finished) -> Splits:
    return from_json((run_of(finished).path / "splits.json").read_bytes(), Splits)


def test_everything_is_training_and_validation_and_never_test() -> None:
    splits = Splits(
        seed=0,
        kind="stratified",
        sentence="",
        folds=(Fold(train=("a", "b"), val=("c",)), Fold(train=("b", "c"), val=("a",))),
        test=("d",),
    )
    (only,) = splits.division(EVERYTHING)
    assert (set(only.train), only.val) == ({"a", "b", "c"}, ("c",))


def test_it_is_scored_on_the_samples_that_validated_its_trial() -> None:
    """A second run validates on others: a score on those of the first says nothing of whether it went wrong."""
    splits = Splits(
        seed=0,
        kind="stratified",
        sentence="",
        folds=(Fold(train=("a", "b"), val=("c",)),),
        test=("d",),
        spare=(Fold(train=("b", "c"), val=("a",)), Fold(train=("a", "c"), val=("b",))),
    )
    assert [splits.division(EVERYTHING, number)[0].val for number in range(3)] == [("c",), ("a",), ("b",)]
    assert {*splits.division(EVERYTHING, 2)[0].train} == {"a", "b", "c"}


def test_the_summary_says_from_how_many_samples_the_final_model_learned(searched: Finished, heard: Heard) -> None:
    first = splits_of(searched).folds[0]
    again = searched.summary["refit"]
    assert again["samples"] == len(first.train) + len(first.val)
    best = searched.summary["best"]
    recipe = artifact.read(run_of(searched).path / "best").recipe
    assert recipe == course.repeated(Recipe.of(best["recipe"]), best["best_epoch"])
    assert again["epochs"] == recipe.epochs == artifact.read(run_of(searched).path / "best").epoch
    assert any("once more" in note.text for note in heard.of(Note))
    checked = again["checked"]
    assert (checked["before"], checked["rows"]) == (best["score"], len(first.val))
    assert checked["score"] >= checked["before"] - checked["allowed"]


def test_the_summary_names_no_version_of_ray_where_none_ran(searched: Finished) -> None:
    assert searched.summary["versions"] and "ray" not in searched.summary["versions"]


def test_the_model_of_the_trial_stays_beside_the_final_one(searched: Finished) -> None:
    path, best = run_of(searched).path, searched.summary["best"]["trial"]
    final, own = artifact.read(path / "best"), artifact.read(path / "trials" / best)
    assert (final.refit, own.refit) == (True, False)
    assert (final.trial, final.score, final.schema) == (own.trial, own.score, own.schema)
    assert (path / "best" / "model.npz").read_bytes() != (path / "trials" / best / "model.npz").read_bytes()


def test_the_score_of_the_test_part_is_that_of_the_final_model(searched: Finished) -> None:
    run, splits = run_of(searched), splits_of(searched)
    config = artifact.read(run.path / "best")
    (store,) = (cache() / "stores").glob("[0-9a-f]*")
    places = {name: str(run.path / f"{name}.json") for name in ("dataset", "splits")}
    ref = DataRef(store=str(store), fingerprint="", **places)
    decoded, targets = evaluate.predict_test(str(run.best_folder), ref, splits.test)
    task = registry.installed().get("task", config.task)
    found = evaluate.all_metrics(task, decoded, targets, config.schema)
    assert found == searched.summary["test"]["metrics"]
    assert searched.summary["test"]["verdict"] != "the baseline itself is the best model"


def test_report_card_and_screen_say_what_the_final_model_learned_from(searched: Finished) -> None:
    path, samples = run_of(searched).path, searched.summary["refit"]["samples"]
    said = f"{searched.summary['best']['trial']} was trained once more, on the {samples} samples"
    assert said in (path / "report.html").read_text()
    assert said in (path / "best" / "README.md").read_text()
    assert said in final.sentence(searched.summary)


def test_it_can_be_left_away(images: Path, tmp_path: Path) -> None:
    finished = run_search(options(images, tmp_path, strategy="flat", trials=1, refit=False), Heard())
    assert finished.summary["refit"] == {}
    assert "--no-refit" in finished.summary["command"]
    assert not artifact.read(run_of(finished).best_folder).refit


def test_one_configuration_alone_learns_from_the_training_part(images: Path, tmp_path: Path) -> None:
    finished = run_train(options(images, tmp_path, trials=0, overrides={"lr": "0.01"}), Heard())
    assert finished.summary["refit"] == {}
    assert "refit" not in finished.summary["command"]


def test_a_model_that_forgets_what_it_learned_is_not_taken(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = refit.job

    def hopeless(*arguments: Any) -> refit.RefitJob:
        return msgspec.structs.replace(made(*arguments), before=1.1)

    monkeypatch.setattr(refit, "job", hopeless)
    heard = Heard()
    finished = run_search(options(images, tmp_path, strategy="flat", trials=1), heard)
    assert "than the trial that had not (1.1)" in finished.summary["refit"]["left_out"]
    assert not artifact.read(run_of(finished).best_folder).refit
    assert finished.summary["test"]["verdict"] == "the baseline itself is the best model"
    assert any("training part alone" in note.text for note in heard.of(Note))


@pytest.mark.parametrize(("seconds", "kept"), [(10.0, 12.5), (40.0, 0.0)])
def test_time_is_kept_for_it_unless_that_is_too_much(seconds: float, kept: float) -> None:
    budget = Budget(100.0, 0.0)
    budget.refit_ratio = 1.25
    before = budget.deadline
    budget.leads(ended(seconds))
    expected = START + FIRST_BUILD + kept if kept else 0.0
    assert budget.refit == expected <= REFIT * 100
    assert budget.deadline == before - expected


def test_the_first_trials_know_that_something_comes_after_them() -> None:
    budget = Budget(100.0, 0.0)
    before = budget.deadline
    budget.expect_refit(1.25)
    assert budget.deadline == before - START - FIRST_BUILD
    short = Budget(10.0, 0.0)
    short.expect_refit(1.25)
    assert short.refit == 0
    longer = Budget(50.0, 0.0)
    longer.expect_refit(1.25)
    assert longer.refit == REFIT * 20
    for seconds in (20.0, 40.0, 60.0):
        budget = Budget(seconds, 0.0)
        alone = budget.deadline
        budget.expect_refit(1.25)
        assert budget.deadline >= min(alone, seconds / 2), "half of the time is for trials"


def test_it_takes_as_long_as_its_epochs() -> None:
    budget = Budget(100.0, 0.0)
    budget.refit_ratio = 1.25
    for best, epochs in ((7, 7), (2, course.FEWEST), (1, 1)):
        result = msgspec.structs.replace(ended(20.0), best_epoch=best)
        assert budget.to_refit(result) == START + FIRST_BUILD + 2.5 * epochs


def test_what_is_kept_of_frozen_blocks_is_not_computed_once_more() -> None:
    budget = Budget(100.0, 0.0)
    budget.refit_ratio = 1.25
    report = EpochReport(
        epoch=1, score=0.5, metrics={}, train_loss=1.0, seconds=20.0, build_seconds=2.0, prefix_seconds=10.0
    )
    head = msgspec.structs.replace(ended(20.0), best_epoch=1, epochs=1, history=(report,))
    assert budget.to_refit(head) == START + FIRST_BUILD + 1.25 * 8.0
    budget.views_anew = True
    assert budget.to_refit(head) == START + FIRST_BUILD + 1.25 * 8.0
    views = msgspec.structs.replace(head, recipe=msgspec.structs.replace(head.recipe, views=4))
    assert budget.to_refit(views) == START + FIRST_BUILD + 1.25 * 18.0


SPEC = TrialSpec(
    api="",
    number=0,
    task="t",
    backend="b",
    card=ModelCard(name="m", backend="b", modality="image"),
    problem=Problem(name="p", inputs=("image",), outputs=()),
    schema=Schema(task="t"),
    recipe=Recipe(epochs=20, patience=3),
    data=DataRef(store="", fingerprint="", dataset="", splits=""),
    metric=Metric(name="accuracy"),
    seed=0,
    folder="trials/t0000",
)


def test_its_schedule_ends_where_it_ends() -> None:
    result = msgspec.structs.replace(ended(5.0), recipe=Recipe(epochs=12, patience=3, lr=0.5), best_epoch=9)
    made = refit.job(SPEC, result, Schema(task="t", classes=("a",)), "trials/refit", 100.0)
    assert (made.spec.recipe, made.before) == (Recipe(epochs=9, patience=0, lr=0.5), 0.5)
    assert (made.spec.division, made.spec.schema.classes) == (EVERYTHING, ("a",))
    assert (made.spec.folder, made.spec.resources, made.spec.deadline) == ("trials/refit", SPEC.resources, 100.0)
    again = refit.job(SPEC, msgspec.structs.replace(result, division=2), Schema(task="t"), "trials/refit", 100.0)
    assert (made.spec.scored, again.spec.scored, again.spec.division) == (0, 2, EVERYTHING)


def outcome(left: float, spec: TrialSpec = SPEC, *, interrupted: bool = False) -> Any:
    """What is asked of an outcome before the last training, with so many seconds left."""
    budget = Budget(100.0, time.time() - 100.0 + left)
    budget.expect_refit(1.0)
    budget.end += budget.reserve
    return SimpleNamespace(interrupted=interrupted, budget=budget, spec=spec)


def test_it_is_left_out_for_reasons_that_are_said(tmp_path: Path) -> None:
    result, reasons = ended(10.0), []
    result = msgspec.structs.replace(result, recipe=SPEC.recipe)
    lasttraining._possible(outcome(60.0), result)
    # Alone on the machine it may be quicker.
    lasttraining._possible(outcome(HOPE * (10.0 + START + FIRST_BUILD) + 1), result)
    lower = msgspec.structs.replace(result.recipe, precision="bf16")  # chosen by the learner, SPEC leaves it open
    lasttraining._possible(outcome(60.0), msgspec.structs.replace(result, recipe=lower))
    gone = msgspec.structs.replace(SPEC, start=str(tmp_path / "gone"))
    changed = msgspec.structs.replace(result, recipe=Recipe(epochs=20, patience=3, lr=0.5))
    for case, of in (
        (outcome(60.0, interrupted=True), result),
        (outcome(5.0), result),
        (outcome(60.0, gone), result),
        (outcome(60.0), changed),
    ):
        with pytest.raises((TimeoutError, FileNotFoundError, ValueError)) as caught:
            lasttraining._possible(case, of)
        reasons.append(str(caught.value))
    assert reasons[0] == "the search was interrupted"
    assert reasons[1].startswith("it would take about 21 s, but ")
    assert reasons[2:] == [
        "it began with the model of another trial, which was not kept",
        "its configuration was changed while it trained",
    ]


def test_a_training_that_time_cuts_is_not_taken(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = refit.job

    def late(*arguments: Any) -> refit.RefitJob:
        job = made(*arguments)
        return msgspec.structs.replace(job, spec=msgspec.structs.replace(job.spec, deadline=1.0))

    monkeypatch.setattr(refit, "job", late)
    finished = run_search(options(images, tmp_path, strategy="flat", trials=1), Heard())
    assert "time was over" in finished.summary["refit"]["left_out"]
    assert not (run_of(finished).path / "trials" / refit.NAME).exists()
    assert finished.summary["status"] == "finished"
    assert set(finished.summary["seconds"]) == {"prepare", "search", "refit", "evaluate", "total"}


def ended(seconds: float) -> TrialResult:
    return TrialResult(
        number=0,
        model="m",
        backend="b",
        recipe=Recipe(),
        status="finished",
        score=0.5,
        best_epoch=10,
        epochs=10,
        seconds=seconds,
    )
