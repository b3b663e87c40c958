"""A disk that is full ends the proposing of trials, in words, and not the search."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoft import artifact, registry, run
from autoft.errors import UsageError
from autoft.events import Note, TrialFinished
from autoft.pipeline.budget import Budget
from autoft.pipeline.search import run_search
from autoft.pipeline.watch import Watch
from autoft.recipe import Recipe
from autoft.records import Metric, TrialResult
from autoft.run import Run, RunWriter
from tests.pipeline.conftest import Heard, options

Refuse = Callable[..., None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """`refuse("append_line", after=1)`: this function of `autoft.run` finds no room any more after so many calls."""

    def until(name: str, after: int, owner: Any = run) -> None:
        real, calls = getattr(owner, name), []

        def full(*arguments: Any, **others: Any) -> Any:
            calls.append(arguments)
            if len(calls) > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
            return real(*arguments, **others)

        monkeypatch.setattr(owner, name, full)

    return until


def searched(images: Path, tmp_path: Path, heard: Heard) -> dict[str, Any]:
    wanted = options(images, tmp_path / "runs", scheduler="", refit=False, trials=12, concurrency=1)
    return run_search(wanted, heard).summary


def warnings(heard: Heard) -> list[str]:
    return [note.text for note in heard.of(Note) if note.level == "warning"]


def test_no_trial_begins_and_what_there_is_counts(images: Path, tmp_path: Path, refuse: Refuse) -> None:
    heard = Heard()
    refuse("append_line", after=2)
    summary = searched(images, tmp_path, heard)
    assert sum(summary["trials"].values()) == len(Run(summary["paths"]["run"]).results()) == 2
    assert summary["test"]["metrics"]["accuracy"] is not None
    told = [event.result for event in heard.of(TrialFinished)]
    assert len(told) > 2 and {row.status for row in told[2:]} == {"failed"}
    assert any("no further trial was begun" in note and "No space left" in note for note in summary["notes"])
    assert [text for text in warnings(heard) if "No space left on device" in text and "free some space" in text]
    assert artifact.read(Path(summary["paths"]["best"])).trial == summary["best"]["trial"]


def test_a_model_that_cannot_be_copied_is_linked(images: Path, tmp_path: Path, refuse: Refuse) -> None:
    heard = Heard()
    refuse("copy2", after=0, owner=shutil)
    summary = searched(images, tmp_path, heard)
    assert artifact.read(Path(summary["paths"]["best"])).trial == summary["best"]["trial"]
    assert sum(summary["trials"].values()) > 2 and summary["test"] is not None
    assert not [text for text in warnings(heard) if "No space" in text]


FULL = f"OSError: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: 'model.npz'"


def watching(tmp_path: Path, heard: Heard, alone: bool) -> Watch:
    writer = RunWriter(tmp_path, Metric(name="accuracy"))
    return Watch(writer, Budget(60.0, time.time()), heard, registry.installed(), alone=alone)


def failed(number: int, reason: str) -> TrialResult:
    return TrialResult(number=number, status="failed", model="m", backend="b", recipe=Recipe(), reason=reason)


def test_trials_that_find_no_room_end_it_too(tmp_path: Path) -> None:
    heard = Heard()
    watch = watching(tmp_path, heard, alone=True)
    for number, reason in enumerate((FULL, "the loss is not a number", FULL, FULL)):
        assert not watch.full, "the first one's room is free again"
        watch.ended(failed(number, reason))
    assert FULL in watch.full
    assert str(tmp_path) not in watch.full, "the disk that is full may be another one"
    assert len(warnings(heard)) == 1


def test_a_full_disk_of_one_node_does_not(tmp_path: Path) -> None:
    heard = Heard()
    watch = watching(tmp_path, heard, alone=False)
    for number in range(5):
        watch.ended(failed(number, FULL))
    assert not watch.full
    (said,) = warnings(heard)
    assert "on the node" in said and FULL in said


def test_the_run_folder_of_a_cluster_does(tmp_path: Path, refuse: Refuse) -> None:
    """It is this machine's own, or one that all nodes write to."""
    watch = watching(tmp_path, Heard(), alone=False)
    refuse("append_line", after=0)
    watch.ended(failed(0, "the loss is not a number"))
    assert f"{tmp_path} cannot be written" in watch.full


def test_nothing_that_can_be_kept_is_an_error(images: Path, tmp_path: Path, refuse: Refuse) -> None:
    refuse("append_line", after=0)
    with pytest.raises(UsageError, match="no trial has a model"):
        searched(images, tmp_path, Heard())


def test_an_outcome_that_cannot_be_written_can_be_written_later(
    images: Path, tmp_path: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run.write_text

    def full(path: Path, text: str) -> None:
        if path.name == "metrics.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, text)

    monkeypatch.setattr(run, "write_text", full)
    with pytest.raises(UsageError, match="could not be written") as caught:
        searched(images, tmp_path, Heard())
    assert "--finish" in caught.value.hint
