"""Trials on a real Ray: what ends how, who is told, and what a worker process survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

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
        metric = Metric(name="accuracy")
        plain: dict[str, Any] = {"metric": metric, "scheduler": "none", "concurrency": 1, "space": (LR,), "epochs": 3}
        plain["trials"] = len(proposals)
        chosen = Settings(folder=str(folder / "ray"), target=scripted.TARGET, **{**plain, **settings})

        def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
            return scripted.spec_in(folder, number, {"epochs": chosen.epochs, **params}, chosen.metric)

        self.interrupted = ray.run(chosen, self.searcher, spec_of, self)

    def noted(self, what: str, number: int) -> list[dict[str, Any]]:
        return [row for row in noted(self.log) if row["what"] == what and row["number"] == number]

    def pids(self, number: int) -> list[int]:
        """Processes in which this trial began, in order."""
        return [row["pid"] for row in self.noted("begun", number)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_each_trial_is_told_of_once(scheduler: str, tmp_path: Path) -> None:
    proposals = [{"lr": lr} for lr in (0.5, 0.4, 0.3, 0.2)]
    proposals[1] |= {"do": "fail", "at": 2}
    proposals[3] |= {"do": "raise"}
    seen = Searched(tmp_path, proposals, scheduler=scheduler, epochs=5, concurrency=2)
    assert not seen.interrupted
    assert sorted(seen.started_) == sorted(result.number for result in seen.results) == [0, 1, 2, 3]
    assert set(seen.searcher.told) == {0, 1, 2, 3}
    assert [(seen[number].status, seen[number].score) for number in (1, 3)] == [("failed", None)] * 2
    assert {seen[number].status for number in (0, 2)} <= {"finished", "stopped"}
    assert any(result.epochs == 5 and result.status == "finished" for result in seen.results)
    for result in seen.results:
        scores = [report.score for report in result.history]
        assert result.score == (None if result.status == "failed" else max(scores))
        assert seen.searcher.told[result.number] == (result.score, scores)
        if scheduler != "pbt":  # where a trial may take up another one's weights and epoch
            assert [report.epoch for report in result.history] == list(range(1, result.epochs + 1))
            assert sum(number == result.number for number, _ in seen.reports) == len(scores)


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
    proposals = [{"lr": lr} for lr in (0.01, 0.02, 0.03, 0.8, 0.9)]
    seen = Searched(tmp_path, proposals, scheduler="asha", epochs=9, metric=Metric(name="accuracy", mode="min"))
    assert seen[0].status == "finished"
    assert seen[0].score == pytest.approx(0.01), "the best epoch counts, here the first"
    assert [seen[number].status for number in (3, 4)] == ["stopped", "stopped"]


@pytest.fixture(scope="module")
def mishaps(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """All that can befall a trial, one after another."""
    proposals = [{"do": "raise", "at": 2}, {}, {"do": "fail"}, {}, {"do": "die"}, {}, {"do": "die once", "at": 2}, {}]
    return Searched(tmp_path_factory.mktemp("mishaps"), proposals)


def test_the_search_goes_on_after_a_failure(mishaps: Searched) -> None:
    ended = {number: mishaps[number].status for number in range(8)}
    failed = {0: "failed", 2: "failed", 4: "failed"}
    assert ended == dict.fromkeys(range(8), "finished") | failed
    assert {number: mishaps[number].score for number in failed} == {0: None, 2: None, 4: None}
    assert {number: mishaps.searcher.told[number][0] for number in failed} == {0: None, 2: None, 4: None}
    assert [mishaps[number].folder for number in failed] == ["", "", ""]


def test_a_bug_ends_one_trial_and_costs_one_process(mishaps: Searched) -> None:
    assert mishaps[0].reason == "ZeroDivisionError: a bug in a backend"
    assert "scripted.py" in mishaps[0].traceback
    assert len(mishaps.pids(0)) == 1, "a bug is no reason to try again"
    assert mishaps.pids(1) != mishaps.pids(0), "what is left in that process may be broken"


def test_a_trial_that_cannot_go_on_costs_no_process(mishaps: Searched) -> None:
    assert mishaps[2].reason == "the training loss must be finite, but it is nan. Try a lower lr."
    assert mishaps.pids(1) == mishaps.pids(2) == mishaps.pids(3)


def test_a_process_that_dies_is_tried_once_more(mishaps: Searched) -> None:
    assert "died" in mishaps[4].reason
    assert len(set(mishaps.pids(4))) == len(mishaps.pids(4)) == 2
    assert len(set(mishaps.pids(6))) == len(mishaps.pids(6)) == 2
    assert [report.epoch for report in mishaps[6].history] == [1, 2, 3], "the first attempt leaves no epochs behind"


@pytest.mark.slow
def test_a_process_that_has_grown_makes_room(tmp_path: Path) -> None:
    seen = Searched(tmp_path, [{}, {"do": "grow"}, {}, {}])
    assert {result.status for result in seen.results} == {"finished"}
    assert seen.pids(1) == seen.pids(0)
    assert seen.pids(2) != seen.pids(1)
    assert seen.pids(3) == seen.pids(2)
    assert [report.epoch for report in seen[2].history] == [1, 2, 3]


@pytest.mark.slow
def test_the_deadline_stops_what_runs(tmp_path: Path) -> None:
    deadline = time.time() + 20
    seen = Searched(tmp_path, [{"pause": 0.2}] * 3, epochs=10_000, deadline=deadline, concurrency=2)
    assert not seen.interrupted
    assert {result.status for result in seen.results} == {"stopped"}
    assert seen[0].reason == "out of time"
    assert seen[0].score is not None, "what it had by then counts"


def test_as_many_at_a_time_as_wanted(tmp_path: Path) -> None:
    for wanted in (1, 2):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        seen = Searched(folder, [{"do": "gather", "of": wanted}] * 4, concurrency=wanted, cpus=0.5)
        assert most_at_once(noted(seen.log)) == wanted


def test_memory_is_asked_for_like_cores(tmp_path: Path, cluster: ray.Cluster) -> None:
    memory = 0.6 * cluster.machines[0].memory
    seen = Searched(tmp_path, [{"pause": 0.1}] * 3, concurrency=2, cpus=0.5, memory=float(round(memory)))
    assert memory and most_at_once(noted(seen.log)) == 1


def most_at_once(rows: list[dict[str, Any]]) -> int:
    spans = {}
    for row in rows:
        first, _ = spans.get(row["number"], (row["at"], 0.0))
        spans[row["number"]] = (first, row["at"])
    return max(sum(a <= moment < b for a, b in spans.values()) for moment, _ in spans.values())


def test_the_search_ends_when_no_more_is_proposed(tmp_path: Path) -> None:
    seen = Searched(tmp_path, [{}, {}], trials=0)
    assert [result.status for result in seen.results] == ["finished", "finished"]


@pytest.mark.slow
def test_pbt_changes_parameters_and_says_so(tmp_path: Path) -> None:
    momentum = Param(key="momentum", kind="float", low=0.9, high=0.99, default=0.9)
    rates, together = [0.9, 0.8, 0.02, 0.01], {"momentum": 0.99, "do": "gather", "of": 4, "pause": 0.02}
    proposals = [{"lr": lr, **together} for lr in rates]
    seen = Searched(tmp_path, proposals, scheduler="pbt", epochs=30, space=(LR, momentum), cpus=0.5, concurrency=4)
    assert sorted(result.number for result in seen.results) == [0, 1, 2, 3]
    changed = [result for result in seen.results if result.recipe.lr != rates[result.number]]
    assert changed, "the weakest takes over a better one's weights and changes its parameters"
    assert all(LR.low <= result.recipe.lr <= LR.high for result in seen.results)
    assert all(0.9 <= result.recipe.momentum <= 0.99 for result in seen.results)
    assert any(seen.noted("resumed", result.number) for result in changed)
    for result in seen.results:
        assert result.folder.endswith(result.name), "it goes on in its own folder"


def test_pbt_needs_something_to_change(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one of lr, "):
        Searched(tmp_path, [{}], scheduler="pbt", space=(Param(key="batch_size", choices=(4, 8)),))


SCRIPT = """
import sys
from pathlib import Path
from autoft.search import ray
from tests.search.test_ray import Searched

ray.start(cpus=2)
seen = Searched(Path(sys.argv[1]), [{"epochs": 2}, {"epochs": 10_000, "pause": float(sys.argv[2])}, {}])
ray.stop()
for result in seen.results:
    print(result.number, result.status, result.score is not None, result.reason)
print("interrupted", seen.interrupted)
"""


class Started:
    """A search in a process group of its own, as a terminal makes one: Ctrl-C reaches Ray's processes too."""

    def __init__(self, folder: Path, pause: float, script: str = SCRIPT) -> None:
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(pause)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )

    def await_trial(self, number: int, what: str = "begun") -> None:
        until = time.time() + 120
        while not (self.log.exists() and any(r["number"] == number and r["what"] == what for r in noted(self.log))):
            assert self.process.poll() is None, self.process.communicate()
            assert time.time() < until, "the trial never began"
            time.sleep(0.05)

    def press(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> tuple[list[str], str]:
        """Lines of its output, and what it wrote to stderr."""
        out, err = self.process.communicate(timeout=120)
        return out.splitlines(), err

    def left_over(self) -> set[int]:
        """Trial processes that outlived the search by more than a moment."""
        until = time.time() + 20
        while (alive := {row["pid"] for row in noted(self.log) if running(row["pid"])}) and time.time() < until:
            time.sleep(0.1)
        return alive


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.1, 300.0], ids=["between epochs", "within an epoch"])
def test_ctrl_c_stops_what_runs_and_keeps_what_ended(pause: float, tmp_path: Path) -> None:
    search = Started(tmp_path, pause)
    search.await_trial(1, "stepped" if pause < 1 else "begun")
    search.press()
    lines, err = search.end()
    cut = "" if pause < 1 else ", before its first epoch was over"
    assert lines == ["0 finished True all epochs done", f"1 stopped {not cut} interrupted{cut}", "interrupted True"]
    assert search.process.returncode == 0
    assert err == ""
    assert not search.left_over()


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    search = Started(tmp_path, 300.0)
    search.await_trial(1)
    search.press()
    time.sleep(0.2)
    search.press()
    lines, _ = search.end()
    assert search.process.returncode != 0 or "interrupted True" in lines
    assert not search.left_over()


def test_call_answers_in_order() -> None:
    answers = ray.call("tests.search.scripted:add", [(3, 1), (0, 2), (1, 1)], cpus=0.5, gpus=0, timeout=60)
    assert answers == [4, 2, 2]


def test_call_takes_a_process_for_each() -> None:
    pids = ray.call("tests.search.scripted:process_id", [(), ()], cpus=1, gpus=0, timeout=60)
    assert len({os.getpid(), *pids}) == 3


def test_call_raises_what_was_raised() -> None:
    with pytest.raises(TrialFailed, match="no such weights") as caught:
        ray.call("tests.search.scripted:refuse", [("no such weights",)], cpus=1, gpus=0, timeout=60)
    assert caught.value.hint == "a hint"
    with pytest.raises(ZeroDivisionError):
        ray.call("tests.search.scripted:divide", [(1, 2), (1, 0)], cpus=1, gpus=0, timeout=60)


def test_call_does_not_wait_for_ever() -> None:
    with pytest.raises(TimeoutError, match="linger took longer than 1 s"):
        ray.call("tests.search.scripted:linger", [(300.0,)], cpus=1, gpus=0, timeout=1)
    assert ray.call("tests.search.scripted:add", [(0, 1)] * 2, cpus=1, gpus=0, timeout=60) == [1, 1], (
        "the CPU is free again"
    )


def test_a_process_that_dies_in_a_call_is_an_error_of_ours() -> None:
    with pytest.raises(TrialFailed, match=r"the process of .*die died"):
        ray.call("tests.search.scripted:die", [()], cpus=1, gpus=0, timeout=60)


def test_no_cluster_at_that_address() -> None:
    with pytest.raises(UsageError, match=r"--address must name a running Ray cluster, but '127\.0\.0\.1:1' does not"):
        ray.start("127.0.0.1:1")


def test_it_is_said_why_nothing_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "PATIENCE", 0.5)
    told: list[str] = []
    settings = Settings(
        metric=Metric(name="accuracy"), folder=str(tmp_path), scheduler="none", cpus=3.0, deadline=time.time() + 4
    )

    def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
        return scripted.spec_in(tmp_path, number, params, settings.metric)

    seen = Seen()
    assert not ray.run(settings, Listed([{}] * 2), spec_of, seen, told.append)
    assert seen.results == [] and len(told) == 1 and "2 of 2 CPUs free" in told[0]


def test_it_is_said_when_something_starts_after_all() -> None:
    told: list[str] = []
    queue = ray._Queue(told.append)
    queue.look()
    queue.since -= ray.PATIENCE
    queue.look()
    queue.look()
    queue.left()
    queue.look()
    assert len(told) == 2 and not told[1]


def test_it_is_said_once_more_when_what_ran_is_lost() -> None:
    """The only node with a GPU may be lost in the middle of a search."""
    told: list[str] = []
    queue = ray._Queue(told.append, gpus=1.0)
    events = ray._Events(cast("Any", None), queue)

    def pass_by(*status: str) -> None:
        queue.since -= ray.PATIENCE
        events.on_step_begin(0, [SimpleNamespace(status=one) for one in status])
        queue.look()

    pass_by("TERMINATED", "RUNNING", "PENDING")
    assert told == []
    pass_by("TERMINATED", "PENDING", "PENDING")
    pass_by("TERMINATED", "PENDING", "PENDING")
    assert len(told) == 1 and "were lost: 2 of 2 CPUs and 0 of 0 GPUs free" in told[0]
    pass_by("TERMINATED", "RUNNING", "PENDING")
    assert told[1:] == [""]


def test_variables_that_a_submitted_job_has_are_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray refuses a variable that both name."""
    given: dict[str, Any] = {}

    def connect(**arguments: Any) -> None:
        given.update(arguments)
        raise ConnectionError("enough")

    monkeypatch.setattr(ray.ray, "init", connect)
    monkeypatch.setenv("AUTOFT_ONE", "1")
    monkeypatch.setenv("AUTOFT_OTHER", "2")
    job = {"runtime_env": {"env_vars": {"AUTOFT_ONE": "1", "PATH": "x"}}, "metadata": {}}
    for told, left in ((job, False), ({"metadata": {}}, True), ({"runtime_env": None}, True)):
        monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", json.dumps(told))
        with pytest.raises(UsageError, match="enough"):
            ray.start("auto")
        names = given["runtime_env"]["env_vars"]
        assert "AUTOFT_OTHER" in names and ("AUTOFT_ONE" in names) == left


def test_ray_client_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="'ray://head:10001' is Ray Client"):
        ray.start("ray://head:10001")


def test_a_cluster_without_an_autoscaler_does_not_grow() -> None:
    assert not ray.raynodes.grows()
