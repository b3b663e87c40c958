"""Searches that cannot go on, and those that can in spite of something: what is raised, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoft import artifact, errors, evaluate
from autoft.errors import BudgetEnded, DataError, NoTrialSucceeded, TrialFailed, UsageError
from autoft.evaluate import predict_test
from autoft.events import Note, Planned, TrialFinished
from autoft.pipeline import finish
from autoft.pipeline.search import plan_search, run_search
from autoft.records import DataRef, Metric, Splits, from_json
from autoft.run import Run, RunWriter
from autoft.testing import ToyTask, toys
from tests.pipeline.conftest import Heard, Search, files_below, options


def test_all_trials_fail(search: Search, tmp_path: Path) -> None:
    with pytest.raises(
        NoTrialSucceeded, match="all 2 trials failed; the first one: barren builds no network"
    ) as caught:
        search(models=("barren/mlp",), trials=2)
    assert caught.value.exit_code == errors.EXIT_NO_TRIAL
    run = Run(tmp_path / "runs" / "toy" / "search1")
    assert [(r.status, r.score) for r in run.results()] == [("failed", None)] * 2
    assert "barren builds no network" in run.results()[0].traceback
    assert not run.best_folder.exists()


def test_a_failed_trial_does_not_end_the_search(search: Search) -> None:
    finished = search(models=("barren/mlp", "numpy/mlp"), trials=6, overrides={"model": "barren/mlp,numpy/mlp"})
    counts = finished.summary["trials"]
    assert counts["failed"] >= 1
    assert counts["finished"] >= 1
    assert finished.summary["best"]["model"] == "numpy/mlp"
    if finished.summary["baseline"] is None:
        assert "no baseline" in finished.summary["test"]["verdict"]


def test_a_model_that_cannot_be_scored_is_kept(search: Search) -> None:
    heard = Heard()
    finished = search(heard, models=("sealed/mlp",), trials=1)
    assert finished.summary["test"] is None
    assert any("the weights are sealed" in note for note in finished.summary["notes"])
    assert any("the weights are sealed" in note.text for note in heard.of(Note) if note.level == "warning")
    assert (Path(finished.folder) / "best" / "config.json").is_file()
    assert json.loads((Path(finished.folder) / "metrics.json").read_text())["best"]["trial"] == "t0000"


@pytest.fixture
def one_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    monkeypatch.setattr("autoft.gpus.DEVICES", tmp_path / "dev")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_more_gpus_than_there_are_are_refused(images: Path, tmp_path: Path, one_gpu: None) -> None:
    wanted = options(images, tmp_path, address="", gpus_per_trial=2.0)
    for run in (plan_search, run_search):
        with pytest.raises(UsageError, match="--gpus-per-trial 2 asks for more GPUs than this search may use: 1"):
            run(wanted, Heard())


def test_no_more_trials_are_planned_at_a_time_than_gpus_hold(
    images: Path, tmp_path: Path, one_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoft.search.pool.cores", lambda: 16)
    given = {-1.0: 1, 1.0: 1, 0.25: 4, 0.0: 16}
    for share, trials in given.items():
        for scheduler in ("none", "asha"):  # by ourselves, by Ray
            wanted = options(images, tmp_path, address="", gpus_per_trial=share, scheduler=scheduler)
            assert plan_search(wanted, Heard()).concurrency == trials


def test_a_gpu_that_the_framework_does_not_see_is_missed_once(images: Path, tmp_path: Path, one_gpu: None) -> None:
    heard = Heard()
    run_search(options(images, tmp_path, address="", strategy="flat", trials=2), heard)
    told = [note.text for note in heard.of(Note) if note.level == "warning" and "GPU" in note.text]
    assert len(told) == 1 and "the framework of numpy sees none and computes on the CPU" in told[0]
    assert "--gpus-per-trial 0" in told[0]


def test_the_test_part_is_scored_with_all_that_the_machine_has(
    images: Path, tmp_path: Path, one_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[evaluate.ScoreJob] = []
    limits: list[float] = []

    def look(function: str, payloads: list[str], backends: list[str], timeout: float) -> None:
        if function == "autoft.evaluate:write_test":
            seen.extend(from_json(payload, evaluate.ScoreJob) for payload in payloads)
            limits.append(timeout)
        raise TrialFailed("it was only looked at")

    monkeypatch.setattr("autoft.machine.cores", lambda: 6)
    monkeypatch.setattr("autoft.search.host.call", look)
    for share in (1.0, 0.0):
        plain = {"address": "", "strategy": "flat", "trials": 1, "refit": False, "gpus_per_trial": share, "time": 900.0}
        finished = run_search(options(images, tmp_path, **plain), Heard())
        assert finished.summary["test"] is None
        assert Run(finished.folder).arguments["threads_per_trial"] >= 1
    assert [(job.cards, job.threads, job.files) for job in seen] == [(1.0, 6, True), (0.0, 6, True)]
    assert min(limits) > 700, "what is left of the time is there for it"


def test_what_the_cluster_cannot_score_is_scored_here(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(function: str, *arguments: object, **more: object) -> None:
        raise TimeoutError(f"{function} took longer than 60 s")

    monkeypatch.setattr("autoft.search.ray.call", late)
    heard = Heard()
    finished = search(heard, trials=1, refit=False)
    assert finished.summary["test"] is not None
    assert any("scored on this machine instead" in note.text for note in heard.of(Note))


def test_a_budget_that_ended_while_others_had_the_cluster(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, Metric(name="accuracy"))
    error = finish.no_model(writer, interrupted=False, no_room="", waited="0 of 8 CPUs free")
    assert isinstance(error, BudgetEnded) and "before any trial could start: 0 of 8 CPUs free" in str(error)
    assert "--time" not in error.hint


def test_too_little_time(images: Path, address: str, tmp_path: Path) -> None:
    with pytest.raises(BudgetEnded) as caught:
        run_search(options(images, tmp_path, address=address, time=0.2), Heard())
    assert caught.value.exit_code == errors.EXIT_NO_BUDGET
    assert {"args.yaml", "dataset.json", "splits.json"} <= files_below(tmp_path / "toy" / "search1")


@pytest.mark.slow
def test_time_is_kept(search: Search) -> None:
    heard = Heard()
    seconds = search(heard, time=40.0, trials=0, overrides={"epochs": "50"}).summary["seconds"]
    assert len(heard.of(TrialFinished)) > 1
    assert seconds["total"] < 80
    assert seconds["search"] > 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overrides": {"learning_rat": "1"}}, "there is no parameter 'learning_rat'. Did you mean 'learning_rate'"),
        ({"overrides": {"lr": "1..0"}}, "low <= high"),
        ({"task": "toi"}, "there is no task 'toi'. Did you mean 'toy'"),
        ({"models": ("numpy/mpl",)}, "numpy/mlp"),
        ({"scheduler": "ash"}, "Did you mean 'asha'"),
        ({"searcher": "rondom"}, "Did you mean 'random'"),
        ({"strategy": "flt"}, "Did you mean 'flat'"),
        ({"strategy": "autos"}, "Did you mean 'auto'"),
        ({"configs": "none.json"}, "--configs must name a file"),
        ({"configs": "none.json", "strategy": "auto", "scheduler": ""}, "but --configs none.json was given too"),
        ({"configs": "none.json", "searcher": "tpe"}, "--searcher tpe was given too"),
        ({"preset": "fastest"}, "Did you mean 'fast'"),
        ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
        ({"name": "../evil"}, "a run's name must be"),
    ],
)
def test_wrong_words_leave_nothing_behind(
    changes: dict, message: str, images: Path, address: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        run_search(options(images, tmp_path / "runs", address=address, **changes), Heard())
    assert message in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_plan_writes_nothing(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    heard = Heard()
    planned = plan_search(options(images, tmp_path / "runs"), heard)
    assert planned.models == ("numpy/mlp",)
    assert {"flavour", "lr"} <= {param.key for param in planned.space}
    assert heard.of(Planned) == [planned]
    assert list(tmp_path.iterdir()) == []


def test_a_few_bad_files_are_left_out(search: Search, tmp_path: Path) -> None:
    data = spoiled(tmp_path / "imgs", 2)
    finished = search(data=data, trials=1, max_bad=0.05)
    used = (Path(finished.folder) / "splits.json").read_text()
    assert "broken_0.png" not in used
    issues = json.loads((Path(finished.folder) / "data_report.json").read_text())["issues"]
    assert {issue["subject"] for issue in issues if issue["drops"]} == {f"red_disc/broken_{n}.png" for n in range(2)}


def test_many_bad_files_end_the_search(tmp_path: Path, address: str) -> None:
    data = spoiled(tmp_path / "imgs", 8)
    with pytest.raises(DataError, match="8") as caught:
        run_search(options(data, tmp_path / "runs", address=address), Heard())
    assert caught.value.exit_code == errors.EXIT_DATA
    assert not (tmp_path / "runs").exists()


def spoiled(folder: Path, count: int) -> Path:
    """80 toys, `count` of them cut off in the middle and named apart."""
    toys.write_image_folder(folder, per_class=20, seed=5)
    for number, path in enumerate(sorted((folder / "red_disc").iterdir())[:count]):
        path.rename(bad := path.with_name(f"broken_{number}.png"))
        bad.write_bytes(bad.read_bytes()[:60])
    return folder


@pytest.mark.slow
def test_pbt_keeps_the_model_whose_score_it_tells(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a trial takes up from another one must not be told as the score of its own older model."""
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))
    data = toys.write_image_folder(tmp_path / "imgs", per_class=20, splits=("train", "val", "test"))
    finished = search(data=data, scheduler="pbt", trials=4, cpus_per_trial=0.5, overrides={"epochs": "15"})
    run = Run(finished.folder)
    places = {name: str(run.path / f"{name}.json") for name in ("dataset", "splits")}
    (store,) = (tmp_path / "cache" / "stores").glob("[0-9a-f]*")
    (fold,) = from_json(Path(places["splits"]).read_bytes(), Splits).folds
    kept = [result for result in run.results() if Path(result.folder, "config.json").is_file()]
    assert len(kept) >= 3
    for result in kept:
        decoded, targets = predict_test(result.folder, DataRef(store=str(store), fingerprint="", **places), fold.val)
        config = artifact.read(Path(result.folder))
        assert ToyTask().score(decoded, targets, config.schema, ["accuracy"])["accuracy"] == result.score
        assert config.recipe == result.recipe
    assert finished.summary["best"]["score"] == max(result.score for result in run.results())
