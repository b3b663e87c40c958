"""A run whose process ended too early is finished later, from what is in its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from autoft import artifact, held
from autoft.atomic import write_text
from autoft.errors import DataError, TrialFailed, UsageError
from autoft.events import Finished
from autoft.pipeline.finish import UNSCORED
from autoft.pipeline.later import ENDED, SCORED, finish_later
from autoft.pipeline.search import run_search
from autoft.records import to_json
from autoft.run import Run
from tests.pipeline.conftest import Heard, options


@pytest.fixture(scope="module")
def files(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images that a test may change."""
    return Path(shutil.copytree(images, tmp_path_factory.mktemp("own") / "imgs"))


@pytest.fixture(scope="module")
def searched(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A search with an outcome: what finishing it later must come to."""
    out, cache = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFT_CACHE", str(cache))
        return run_search(options(files, out, scheduler="", refit=False), Heard())


@pytest.fixture
def cut(searched: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run as a killed process leaves it, in another place, and without decoded samples."""
    folder = Path(shutil.copytree(searched.folder, tmp_path / "moved"))
    for name in ("metrics.json", "report.html", "leaderboard.csv"):
        (folder / name).unlink()
    report = json.loads((folder / "data_report.json").read_text())
    report["store"]["folder"] = str(tmp_path / "gone")
    (folder / "data_report.json").write_text(json.dumps(report))
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))
    return Run(folder)


def test_it_comes_to_the_same(cut: Run, searched: Finished) -> None:
    heard = Heard()
    found, before = finish_later(cut, heard).summary, searched.summary
    assert found["status"] == "interrupted"
    assert found["best"]["trial"] == before["best"]["trial"]
    assert found["test"]["metrics"] == before["test"]["metrics"]
    assert found["test"]["gain"] == before["test"]["gain"]
    assert any("scored after the search" in note for note in found["notes"])
    assert (cut.path / "report.html").is_file() and (cut.path / "leaderboard.csv").is_file()
    assert cut.metrics["test"] == json.loads(json.dumps(found["test"]))
    assert not (cut.path / held.LOCK).exists()
    with pytest.raises(UsageError, match="has its outcome already"):
        finish_later(cut, heard)


def test_a_trial_that_had_not_ended_counts_with_its_model(cut: Run, searched: Finished) -> None:
    log = cut.path / "trials.jsonl"
    best = searched.summary["best"]["trial"]
    log.write_text(
        "".join(f"{row}\n" for row in log.read_text().splitlines() if f'"number":{int(best[1:])},' not in row)
    )
    found = finish_later(cut, Heard()).summary
    assert found["best"]["trial"] == best
    assert {row.name: row.reason for row in cut.results()}[best] == ENDED
    assert found["test"]["metrics"] == searched.summary["test"]["metrics"]


def test_it_is_refused_while_a_process_is_at_work(cut: Run) -> None:
    with held.hold(cut.path), pytest.raises(UsageError, match="still at work"):
        finish_later(cut, Heard())
    assert not held.is_held(cut.path)


@pytest.mark.parametrize("refitted", [False, True])
def test_a_run_that_could_not_be_scored_is_scored_later(cut: Run, searched: Finished, refitted: bool) -> None:
    """The rest stands as it was written, and the model in `best/` stays: it may have learned from all samples."""
    failed = f"{UNSCORED} could not be scored: no memory was left"
    refit = {"samples": 68, "epochs": 3, "seconds": 1.0} if refitted else {}
    before = {**searched.summary, "test": None, "refit": refit, "status": "time", "notes": ["as it was", failed]}
    (cut.path / "metrics.json").write_text(json.dumps(before))
    if refitted:  # by which it can be told from that of its trial
        config = artifact.read(cut.best_folder)
        write_text(cut.best_folder / artifact.CONFIG, to_json(msgspec.structs.replace(config, refit=True)))
    found = finish_later(cut, Heard()).summary
    assert found["test"]["metrics"] == searched.summary["test"]["metrics"]
    assert found["notes"] == ["as it was", SCORED]
    same = ("status", "best", "baseline", "trials", "command", "refit")
    assert {key: found[key] for key in same} == json.loads(json.dumps({key: before[key] for key in same}))
    assert artifact.read(cut.best_folder).refit == refitted
    assert cut.metrics["test"] is not None and (cut.path / "report.html").is_file()
    assert len(cut.results()) == len(cut.metrics["trials"]) == 3
    with pytest.raises(UsageError, match="has its outcome already"):
        finish_later(cut, Heard())


def test_what_cannot_be_scored_later_either_stays_as_it_was(
    cut: Run, searched: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise TrialFailed("no memory is left")

    monkeypatch.setattr("autoft.search.host.call", refuse)
    (cut.path / "metrics.json").write_text(before := json.dumps({**searched.summary, "test": None}))
    with pytest.raises(TrialFailed, match="no memory is left"):
        finish_later(cut, Heard())
    assert (cut.path / "metrics.json").read_text() == before


def test_changed_files_are_refused(cut: Run, files: Path) -> None:
    one, other = sorted(files.rglob("*.png"))[:2]
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    try:
        with pytest.raises(DataError, match="changed since"):
            finish_later(cut, Heard())
    finally:
        one.write_bytes(kept)


def test_a_run_without_a_model_is_refused(cut: Run) -> None:
    shutil.rmtree(cut.best_folder)
    with pytest.raises(UsageError, match="nothing to score"):
        finish_later(cut, Heard())
