"""A whole search with real Ray and the numpy fakes: what it leaves behind, and that its numbers are true."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from autoft import artifact
from autoft.data.store import Store
from autoft.events import DataRecognised, Event, Finished, Note, Planned, TrialFinished, TrialReported, TrialStarted
from autoft.options import DataOptions
from autoft.pipeline.search import run_search
from autoft.pipeline.train import run_train
from autoft.pipeline.validate import validate
from autoft.records import Splits, from_json
from autoft.run import Run
from tests.pipeline import watcher
from tests.pipeline.conftest import Heard, Search, cache, files_below, options

FILES = {"args.yaml", "dataset.json", "splits.json", "data_report.json", "trials.jsonl", "leaderboard.csv"}
FILES |= {"metrics.json", "report.html"}
OUTCOME = {"task", "metric", "mode", "status", "best", "baseline", "test", "trials", "seconds", "command", "versions"}
OUTCOME |= {"notes", "paths", "refit", "scored_at"}


class Searched(NamedTuple):
    run: Run
    finished: Finished
    heard: Heard
    calls: list[tuple[Any, ...]]
    best: list[tuple[str, str]]
    """After each ended trial: its name, and the trial whose model `best/` then held."""


@pytest.fixture(scope="module")
def searched(images: Path, address: str, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    heard, best = Heard(), list[tuple[str, str]]()

    def listener(event: Event) -> None:
        heard(event)
        if isinstance(event, TrialFinished):
            folder = Path(heard.of(Planned)[0].folder) / "best"
            best.append((event.result.name, artifact.read(folder).trial))

    watcher.CALLS.clear()
    finished = run_search(options(images, tmp_path_factory.mktemp("searched"), address=address, trials=4), listener)
    return Searched(Run(finished.folder), finished, heard, list(watcher.CALLS), best)


@pytest.fixture(scope="module")
def splits(searched: Searched) -> Splits:
    return from_json((searched.run.path / "splits.json").read_bytes(), Splits)


@pytest.fixture(scope="module")
def test_files(searched: Searched, splits: Splits, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the locked test's files, in class folders."""
    folder = tmp_path_factory.mktemp("copy") / "test"
    for name in splits.test:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(images / name, folder / name)
    return folder


def test_the_run_folder_is_whole(searched: Searched) -> None:
    path = searched.run.path
    assert {entry.name for entry in path.iterdir()} >= FILES
    best = {entry.name for entry in (path / "best").iterdir()}
    assert best == {"model.npz", "config.json", "preprocess.json", "labels.json", "README.md"}
    assert json.loads((path / "best" / "labels.json").read_text())["0"] == "blue_ring"
    assert "t000" in (path / "report.html").read_text()
    assert not [entry.name for entry in path.iterdir() if entry.name.startswith(".")], "no draft is left behind"


def test_the_summary_says_how_it_went(searched: Searched) -> None:
    summary, results = searched.finished.summary, searched.run.results()
    assert set(summary) == OUTCOME
    assert json.loads((searched.run.path / "metrics.json").read_text()) == json.loads(json.dumps(summary))
    assert (summary["task"], summary["metric"], summary["mode"], summary["status"]) == (
        "toy",
        "accuracy",
        "max",
        "finished",
    )
    assert summary["trials"] == {"finished": 4, "stopped": 0, "failed": 0}
    assert summary["baseline"]["trial"] == "t0000"
    leader = max(results, key=lambda result: (result.score, -result.number))
    assert (summary["best"]["trial"], summary["best"]["score"]) == (leader.name, leader.score)
    assert summary["best"]["recipe"] == leader.recipe.flat()
    seconds = summary["seconds"]
    assert seconds["total"] >= seconds["prepare"] + seconds["search"] > 0
    assert summary["test"], summary["notes"]
    low, high = summary["test"]["interval"]
    assert low <= summary["test"]["metrics"]["accuracy"] <= high
    assert Path(summary["paths"]["best"]) == searched.run.best_folder.resolve()
    assert summary["versions"]["numpy"] == np.__version__
    assert summary["versions"]["ray"] == version("ray"), "it ran on Ray"


def test_trial_0_is_the_default_recipe(searched: Searched) -> None:
    first = searched.run.results()[[result.number for result in searched.run.results()].index(0)]
    assert first.recipe.optimizer == "adamw"
    assert first.recipe.epochs == 3
    assert first.recipe.lr == pytest.approx(1e-3)


def test_best_is_there_after_the_first_trial(searched: Searched) -> None:
    assert len(searched.best) == 4
    assert searched.best[0][1]
    over = set()
    for event, (_, in_best) in zip(searched.heard.of(TrialFinished), searched.best, strict=True):
        over.add(event.result.name)
        assert event.best == (in_best == event.result.name) or in_best not in over, "else a better one still runs"
    assert searched.best[-1][1] == searched.finished.summary["best"]["trial"]


def test_events_come_in_order(searched: Searched) -> None:
    kinds = [type(event) for event in searched.heard if not isinstance(event, Note)]
    assert kinds[:3] == [DataRecognised, Planned, TrialStarted]
    assert kinds[-1] == Finished
    assert len(searched.heard.of(TrialReported)) == 4 * 3


def test_the_leaderboard_has_the_scores(searched: Searched) -> None:
    rows = searched.run.leaderboard()
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    scores = [row["accuracy"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    lines = (searched.run.path / "leaderboard.csv").read_text().splitlines()
    assert len(lines) == 5
    assert lines[1].split(",")[1] == rows[0]["trial"]


def test_no_sample_trains_and_tests(searched: Searched, splits: Splits) -> None:
    test = set(splits.test)
    assert len(test) == len(splits.test) >= 8
    for fold in splits.folds:
        assert not test & {*fold.train, *fold.val}
        assert not set(fold.train) & set(fold.val)


def test_plugins_watch_and_add_parameters(searched: Searched) -> None:
    calls, folder = searched.calls, searched.finished.folder
    assert [Path(calls[0][1]).resolve(), *calls[0][::2]] == [Path(folder).resolve(), "search started", "toy"]
    assert (calls[-1][0], calls[-1][2]) == ("search finished", "finished")
    assert sorted(call[1] for call in calls if call[0] == "trial started") == [0, 1, 2, 3]
    assert sorted(call[1:] for call in calls if call[0] == "trial finished") == [(n, "finished") for n in range(4)]
    assert sorted(call[1:] for call in calls if call[0] == "trial reported") == [
        (number, epoch) for number in range(4) for epoch in (1, 2, 3)
    ]
    assert {result.recipe.extra["flavour"] for result in searched.run.results()} <= {"sweet", "sour"}
    assert artifact.read(searched.run.best_folder).recipe.extra["flavour"] in ("sweet", "sour")


def test_a_plugin_that_fails_is_named_once(searched: Searched) -> None:
    notes = [note.text for note in searched.heard.of(Note) if "faulty" in note.text]
    assert len(notes) == 3, notes
    assert any("autoft_trial_reported" in text and "cannot log epochs" in text for text in notes)


def test_the_same_seed_gives_the_same_and_the_test_part_stays_shut(
    searched: Searched, splits: Splits, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pixels of the test part are wiped before the first trial. Nothing may change but the score at the end."""
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))

    def wipe(event: Event) -> None:
        if isinstance(event, Planned):
            (folder,) = (tmp_path / "cache" / "stores").glob("[0-9a-f]*")
            order = json.loads((Path(event.folder) / "dataset.json").read_text())["samples"]
            rows = [row for row, sample in enumerate(order) if sample["id"] in splits.test]
            assert Store.open(folder).arrays["image"][rows].any()
            np.load(folder / "image.npy", mmap_mode="r+")[rows] = 0

    again = Run(search(wipe, trials=4).folder)
    assert (again.path / "splits.json").read_bytes() == (searched.run.path / "splits.json").read_bytes()
    first, second = ({r.number: r for r in run.results()} for run in (searched.run, again))
    for number in range(4):
        assert first[number].recipe == second[number].recipe
        assert [report.metrics for report in first[number].history] == [
            report.metrics for report in second[number].history
        ]
    assert again.metrics["best"]["trial"] == searched.run.metrics["best"]["trial"]
    assert again.metrics["test"]["metrics"] != searched.run.metrics["test"]["metrics"]


def test_another_process_predicts_what_the_summary_says(searched: Searched, test_files: Path) -> None:
    command = [sys.executable, "-m", "autoft.cli.main", "predict", str(searched.run.path), "--json"]
    done = subprocess.run([*command, "--source", str(test_files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    test = searched.finished.summary["test"]
    assert len(rows) == test["samples"]
    right = [row["prediction"] == Path(row["file"]).parent.name for row in rows]
    assert sum(right) / len(right) == test["metrics"]["accuracy"]


def test_the_test_files_score_the_same_elsewhere(searched: Searched, test_files: Path) -> None:
    found = validate(str(searched.run.path), DataOptions(data=str(test_files)))
    test = searched.finished.summary["test"]
    assert found["samples"] == test["samples"]
    assert found["metrics"]["accuracy"] == test["metrics"]["accuracy"]
    assert found["metrics"]["log_loss"] == pytest.approx(test["metrics"]["log_loss"], rel=1e-6)


def test_a_row_of_the_leaderboard_trains_again(searched: Searched, images: Path, address: str, tmp_path: Path) -> None:
    row = next(result for result in searched.run.results() if result.number == 2)
    words = {key: str(value) for key, value in row.recipe.said().items()}
    plain = options(images, tmp_path, address=address, models=(row.model,), overrides=words)
    decoded = files_below(cache())
    trained = run_train(plain, lambda event: None).summary
    assert trained["best"]["recipe"] == row.recipe.flat()
    assert trained["best"]["score"] == row.score
    assert trained["best"]["metrics"] == row.metrics
    assert trained["trials"] == {"finished": 1, "stopped": 0, "failed": 0}
    assert files_below(cache()) == decoded, "what was decoded is used again"
