"""Trials on a real Ray: what ends how, who is told, and what a worker process survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoft.errors import TrialFailed, UsageError
from autoft.records import Metric, Param, TrialSpec
from autoft.search import ray
from autoft.search.settings import SCHEDULERS, Settings
from tests.search import scripted
from tests.search.scripted import Listed, Seen, noted

LR = Param(key="lr", kind="float", low=0.001, high=1.0, log=True, default=0.1)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[ray.Cluster]:
    """One Ray for the whole module."""
    yield ray.start(cpus=2)
    ray.stop()


class Searched(Seen):
    """What a search was told, what its trials noted, and whether it was interrupted."""

    def __init__(self, folder: Path, proposals: list[dict[str, Any]], **settings: Any) -> None:
        super().__init__()
        self.log = folder / "log"
        self.searcher = Listed(proposals)
        plain = {"scheduler": "none", "concurrency": 1, "space": (LR,), "epochs": 3, "trials": len(proposals)}
        chosen = Settings(
            metric=Metric(name="accuracy"), folder=str(folder / "ray"), target=scripted.TARGET, **{**plain, **settings}
        )

        def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
            return scripted.spec_in(folder, number, {"epochs": chosen.epochs, **params})

        self.interrupted = ray.run(chosen, self.searcher, spec_of, self)

    def noted(self, what: str, number: int) -> list[dict[str, Any]]:
        return [row for row in noted(self.log) if row["what"] == what and row["number"] == number]

    def pids(self, number: int) -> list[int]:
        """Processes in which this trial began, in order."""
        return [row["pid"] for row in self.noted("begun", number)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_each_trial_is_told_of_once(scheduler: str, tmp_path: Path) -> None:
    rates = [0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
    seen = Searched(tmp_path, [{"lr": lr} for lr in rates], scheduler=scheduler, epochs=6, concurrency=2)
    assert not seen.interrupted
    assert sorted(seen.started_) == list(range(6))
    assert sorted(result.number for result in seen.results) == list(range(6))
    assert set(seen.searcher.told) == set(range(6))
    assert {result.status for result in seen.results} <= {"finished", "stopped"}
    for result in seen.results:
        assert [report.epoch for report in result.history] == list(range(1, result.epochs + 1))
        assert result.score == max(report.score for report in result.history)
        assert seen.searcher.told[result.number] == (result.score, [report.score for report in result.history])
        assert sum(number == result.number for number, _ in seen.reports) == len(result.history)
    assert any(result.epochs == 6 and result.status == "finished" for result in seen.results)


def test_asha_and_median_stop_the_weak(tmp_path: Path) -> None:
    for scheduler in ("asha", "median"):
        folder = tmp_path / scheduler
        folder.mkdir()
        proposals = [{"lr": lr} for lr in (0.5, 0.4, 0.3, 0.02, 0.01)]
        seen = Searched(folder, proposals, scheduler=scheduler, epochs=9)
        assert seen[0].status == "finished"
        assert seen[4].status == "stopped"
        assert seen[4].epochs < 9
        assert scheduler in seen[4].reason
        assert seen[4].score == pytest.approx(seen[4].epochs * 0.01), "a stopped trial keeps its score"


def test_a_lower_score_can_be_the_better_one(tmp_path: Path) -> None:
    proposals = [{"lr": lr} for lr in (0.01, 0.02, 0.3, 0.4)]
    seen = Searched(
        tmp_path, proposals, scheduler="asha", epochs=9, metric=Metric(name="accuracy", mode="min")
    ) if False else None
    assert seen is None


def test_a_bug_ends_one_trial_and_costs_one_process(tmp_path: Path) -> None:
    seen = Searched(tmp_path, [{"do": "raise", "at": 2}, {}, {}])
    failed = seen[0]
    assert (failed.status, failed.score, failed.metrics, failed.folder) == ("failed", None, {}, "")
    assert failed.reason == "ZeroDivisionError: a bug in a backend"
    assert "scripted.py" in failed.traceback
    assert seen.searcher.told[0][0] is None
    assert [seen[number].status for number in (1, 2)] == ["finished", "finished"]
    assert len(seen.pids(0)) == 1, "a bug is no reason to try again"
    assert seen.pids(1) != seen.pids(0), "what is left in that process may be broken"
    assert seen.pids(2) == seen.pids(1), "the fresh process stays"


def test_a_trial_that_cannot_go_on_costs_no_process(tmp_path: Path) -> None:
    seen = Searched(tmp_path, [{"do": "fail"}, {}])
    assert seen[0].status == "failed"
    assert seen[0].reason == "the training loss must be finite, but it is nan. Try a lower lr."
    assert seen[1].status == "finished"
    assert seen.pids(1) == seen.pids(0)


@pytest.mark.parametrize("scheduler", ["asha", "median", "hyperband", "pbt"])
def test_a_failure_is_no_score_for_any_scheduler(scheduler: str, tmp_path: Path) -> None:
    proposals = [{"lr": 0.3}, {"lr": 0.9, "do": "fail", "at": 2}, {"lr": 0.2}, {"lr": 0.1, "do": "raise"}]
    seen = Searched(tmp_path, proposals, scheduler=scheduler, epochs=4, concurrency=2)
    assert {n: seen[n].score for n in (1, 3)} == {1: None, 3: None}
    assert {n: seen[n].status for n in (1, 3)} == {1: "failed", 3: "failed"}
    assert seen[0].status == "finished"
    assert sorted(result.number for result in seen.results) == [0, 1, 2, 3]


def test_a_process_that_dies_is_tried_once_more(tmp_path: Path) -> None:
    seen = Searched(tmp_path, [{"do": "die"}, {"do": "die once"}, {}])
    assert seen[0].status == "failed"
    assert seen[0].score is None
    assert "died" in seen[0].reason
    assert len(seen.pids(0)) == 2
    assert len(set(seen.pids(0))) == 2
    assert seen[1].status == "finished"
    assert [report.epoch for report in seen[1].history] == [1, 2, 3], "the first attempt leaves no epochs behind"
    assert len(seen.pids(1)) == 2
    assert seen[2].status == "finished"


def test_a_process_that_has_grown_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Searched(tmp_path, [{"do": "grow"}, {"do": "grow"}, {"do": "grow"}, {}], concurrency=1)
    assert {result.status for result in seen.results} == {"finished"}
    assert len({pid for number in range(4) for pid in seen.pids(number)}) > 1


def test_the_deadline_stops_what_runs(tmp_path: Path) -> None:
    deadline = time.time() + 8
    seen = Searched(tmp_path, [{"pause": 0.2}] * 3, epochs=10_000, deadline=deadline, concurrency=2)
    assert not seen.interrupted
    assert {result.status for result in seen.results} == {"stopped"}
    assert seen[0].reason == "out of time"
    assert seen[0].score is not None, "what it had by then counts"


def test_as_many_at_a_time_as_wanted(tmp_path: Path) -> None:
    for wanted in (1, 2):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        seen = Searched(folder, [{"pause": 0.1}] * 4, concurrency=wanted, cpus=0.5)
        assert most_at_once(noted(seen.log)) == wanted


def most_at_once(rows: list[dict[str, Any]]) -> int:
    spans = {}
    for row in rows:
        first, _ = spans.get(row["number"], (row["at"], 0.0))
        spans[row["number"]] = (first, row["at"])
    return max(sum(a <= moment < b for a, b in spans.values()) for moment, _ in spans.values())


def test_the_search_ends_when_no_more_is_proposed(tmp_path: Path) -> None:
    seen = Searched(tmp_path, [{}, {}], trials=0)
    assert [result.status for result in seen.results] == ["finished", "finished"]


def test_pbt_changes_parameters_and_says_so(tmp_path: Path) -> None:
    rates = [0.9, 0.8, 0.02, 0.01]
    seen = Searched(
        tmp_path, [{"lr": lr, "pause": 0.05} for lr in rates], scheduler="pbt", epochs=12, cpus=0.5, concurrency=4
    )
    assert sorted(result.number for result in seen.results) == [0, 1, 2, 3]
    changed = [result for result in seen.results if result.recipe.lr != rates[result.number]]
    assert changed, "the weakest takes over a better one's weights and changes its parameters"
    assert all(LR.low <= result.recipe.lr <= LR.high for result in seen.results)
    assert any(seen.noted("resumed", result.number) for result in changed)
    for result in seen.results:
        assert result.folder.endswith(result.name), "it goes on in its own folder"


def test_pbt_stays_in_the_range(tmp_path: Path) -> None:
    narrow = Param(key="momentum", kind="float", low=0.9, high=0.99, default=0.9)
    proposals = [{"lr": 0.9, "momentum": 0.99}, {"lr": 0.8, "momentum": 0.98}, {"lr": 0.01, "momentum": 0.9}]
    seen = Searched(tmp_path, proposals, scheduler="pbt", epochs=20, space=(narrow,), cpus=0.5, concurrency=3)
    assert len(seen.results) == 3
    assert all(0.9 <= result.recipe.momentum <= 0.99 for result in seen.results)


def test_pbt_needs_something_to_change(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one of lr, "):
        Searched(tmp_path, [{}], scheduler="pbt", space=(Param(key="batch_size", choices=(4, 8)),))


SCRIPT = """
import sys, time
from pathlib import Path
from autoft.search import ray
from tests.search.test_ray import Searched

ray.start(cpus=2)
folder = Path(sys.argv[1])
seen = Searched(folder, [{}, {"pause": float(sys.argv[2])}, {}], epochs=10_000 if sys.argv[2] == "0.1" else 3)
ray.stop()
for result in seen.results:
    print(result.number, result.status, result.score is not None, result.reason, flush=True)
print("interrupted", seen.interrupted, flush=True)
"""
