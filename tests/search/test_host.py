"""Trials in processes of their own: which trial runs where, and what is told of a process that dies."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoft.errors import TrialFailed
from autoft.gpus import VISIBLE
from autoft.records import EpochReport, Metric, Resources
from autoft.search import host as hosts
from autoft.search.forkserver import VARIABLE, Forked, ForkServers
from autoft.search.host import Host
from autoft.search.outcome import Failure, TrialLost
from autoft.search.worker import Call, Look
from tests.search.scripted import TARGET, noted, spec_in

METRIC = Metric(name="accuracy")
ROOT = Path(__file__).parents[2]


class Hosted:
    """A host, and the log of what its trials did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = Host()
        self.number = -1

    def run(self, backend: str = "none", gpus: float = 0.0, **params: Any) -> EpochReport | Failure:
        """One epoch of a new trial."""
        self.number += 1
        spec = spec_in(self.folder, self.number, params, METRIC)
        spec = replace(spec, backend=backend, resources=Resources(gpus=gpus))
        return self.host.begin(TARGET, spec) or self.host.step()

    def pid(self) -> int:
        """Process of the trial that began last."""
        return int([row["pid"] for row in noted(self.folder / "log") if row["what"] == "begun"][-1])


@pytest.fixture(scope="module")
def servers() -> Iterator[ForkServers]:
    found = ForkServers()
    for backend in ("none", "one", "other"):
        found.start(backend, ["tests.search.scripted"])
    yield found
    found.close()


@pytest.fixture(params=["started", "forked"])
def hosted(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """Processes of their own, and forks of a server's: whoever asks for trials sees no difference."""
    if request.param == "forked":
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("servers").told)
    one = Hosted(tmp_path)
    yield one
    one.host.close()


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_fork_has_the_surroundings_of_who_asked(
    servers: ForkServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, servers.told)
    monkeypatch.setenv("AUTOFT_TOLD", "later")
    monkeypatch.chdir(tmp_path)
    worker = hosts.Worker("one")
    assert isinstance(worker._process, Forked)
    assert worker.ask(Look()).failure is None  # by then it has taken them on
    assert Path(f"/proc/{worker.pid}/cwd").readlink() == tmp_path
    out = tmp_path / "told"
    reply = worker.ask(Call(function="tests.search.scripted:tell", payload=str(out)))
    assert reply.failure is None
    assert out.read_text() == "later"
    worker.end()


def test_a_fork_does_not_look_for_cycles_in_what_was_imported(
    servers: ForkServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, servers.told)
    worker, out = hosts.Worker("one"), tmp_path / "told"
    assert not worker.ask(Call(function="tests.search.scripted:tell_set_aside", payload=str(out))).failure
    aside, looked_at = map(int, out.read_text().split())
    assert aside > 10 * looked_at
    worker.end()


def test_without_a_server_a_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"one": "/nowhere/at/all"}))
    for backend in ("one", "other"):
        worker = hosts.Worker(backend)
        assert not isinstance(worker._process, Forked)
        worker.end()


def test_a_folder_with_too_long_a_name_for_a_socket_means_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("n" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.delenv(VARIABLE, raising=False)
    servers = ForkServers()
    servers.start("one", ["tests.search.scripted"])
    worker = hosts.Worker("one")
    assert not isinstance(worker._process, Forked)
    worker.end()
    servers.close()


def test_servers_end_with_what_they_forked() -> None:
    before = os.environ.get(VARIABLE)
    servers = ForkServers()
    servers.start("one", ["no.such.module", "tests.search.scripted"])
    worker = hosts.Worker("one")
    assert isinstance(worker._process, Forked), "a module that is missing is the trial's to tell"
    servers.close()
    assert os.environ.get(VARIABLE) == before
    with pytest.raises(TrialLost):
        worker.ask(Look())
    assert ended(worker.pid)


def test_calls_run_side_by_side_and_failures_are_told(tmp_path: Path) -> None:
    outs = [tmp_path / name for name in ("a", "b")]
    hosts.call("tests.search.scripted:tell", [str(out) for out in outs], ["", ""], 60.0)
    assert all(out.exists() for out in outs)
    with pytest.raises(TrialFailed, match="nowhere"):
        hosts.call("tests.search.scripted:tell", [str(tmp_path / "nowhere" / "c")], [""], 60.0)


def ended(pid: int) -> bool:
    until = time.time() + 20
    while running(pid) and time.time() < until:
        time.sleep(0.02)
    return not running(pid)


def test_a_process_for_each_backend_is_kept(hosted: Hosted) -> None:
    first = [hosted.run(backend) and hosted.pid() for backend in ("one", "other")]
    assert len({os.getpid(), *first}) == 3
    assert [hosted.run(backend) and hosted.pid() for backend in ("other", "one", "one")] == [
        first[1],
        first[0],
        first[0],
    ]
    hosted.host.close()
    assert all(ended(pid) for pid in first)


def test_a_gpu_holds_one_process(hosted: Hosted) -> None:
    hosted.run("one", gpus=1.0)
    first = hosted.pid()
    hosted.run("one", gpus=0.5)
    assert hosted.pid() == first
    hosted.run("other", gpus=0.5)
    assert hosted.pid() != first
    assert not running(first), "it would hold memory of the GPU"


def test_a_fork_sees_the_gpus_that_it_is_given_and_its_server_none(tmp_path: Path, servers: ForkServers) -> None:
    environment = Path(f"/proc/{servers._servers['one'].pid}/environ").read_bytes().split(b"\0")
    assert f"{VISIBLE}=".encode() in environment
    for cards, seen in (("3", "4"), "3,4"), ((), os.environ.get(VISIBLE)):
        worker = hosts.Worker("one", 1, cards)
        assert isinstance(worker._process, Forked)
        out = tmp_path / str(seen)
        assert not worker.ask(Call(function="tests.search.scripted:tell_gpus", payload=str(out))).failure
        assert out.read_text() == str(seen)
        worker.end()


def test_a_bug_costs_the_process_and_a_bad_configuration_does_not(hosted: Hosted) -> None:
    refused = hosted.run(do="fail")
    assert isinstance(refused, Failure)
    assert refused.reason == "the training loss must be finite, but it is nan. Try a lower lr."
    first = hosted.pid()
    bug = hosted.run(do="raise")
    assert isinstance(bug, Failure)
    assert bug.reason == "ZeroDivisionError: a bug in a backend"
    assert "scripted.py" in bug.traceback
    assert hosted.pid() == first
    assert isinstance(hosted.run(), EpochReport)
    assert hosted.pid() != first


def test_a_trial_that_cannot_be_made(hosted: Hosted) -> None:
    spec = spec_in(hosted.folder, 0, {}, METRIC)
    failure = hosted.host.begin("tests.search.scripted:Nobody", spec)
    assert failure is not None
    assert "Nobody" in failure.reason
    assert isinstance(hosted.run(), EpochReport), "the host is of use as before"


def test_the_state_of_a_trial_goes_to_another_process(hosted: Hosted, tmp_path: Path) -> None:
    hosted.run("one", lr=0.25)
    assert hosted.host.save_state(tmp_path) is None
    hosted.run("other", lr=0.25)
    assert hosted.host.load_state(tmp_path) is None
    report = hosted.host.step()
    assert isinstance(report, EpochReport)
    assert (report.epoch, report.score) == (2, 0.5)
    missing = hosted.host.load_state(tmp_path / "nowhere")
    assert missing is not None
    assert "nowhere" in missing.reason


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("die", "the worker process died: it ended itself with code 7."),
        ("killed", "the worker process died: it was killed (SIGKILL). It may have run out of memory: try a smaller"),
        ("crash", "the worker process died: SIGSEGV."),
    ],
)
def test_a_process_that_dies_says_how_and_what_it_printed(how: str, reason: str, hosted: Hosted) -> None:
    with pytest.raises(TrialLost) as caught:
        hosted.run(do=how, say="about to die")
    failure = caught.value.failure
    assert failure.reason.startswith(reason)
    assert "about to die" in failure.traceback
    assert ("scripted.py" in failure.traceback) == (how == "crash"), "a crash says where it was"
    assert pickle.loads(pickle.dumps(caught.value)).failure == failure, "it crosses a process border"
    assert isinstance(hosted.run(), EpochReport)


def test_much_print_does_not_stop_a_trial(hosted: Hosted) -> None:
    with pytest.raises(TrialLost) as caught:
        hosted.run(do="die", say="words " * 100_000 + "the end")
    assert caught.value.failure.traceback.endswith("the end")
    assert len(caught.value.failure.traceback) < 2 * hosts.TAIL


def test_an_idle_process_that_died_is_replaced(hosted: Hosted) -> None:
    hosted.run()
    os.kill(hosted.pid(), signal.SIGKILL)
    assert ended(hosted.pid())
    assert isinstance(hosted.run(), EpochReport)


def test_a_process_that_has_grown_makes_room(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "RECYCLE_MB", 100)
    pids = []
    for grown in (0, 0, 200_000_000, 0):
        hosted.run(**({"do": "grow", "bytes": grown} if grown else {}))
        pids.append(hosted.pid())
    assert pids[0] == pids[1] == pids[2] != pids[3]


PARENT = """
import sys
from pathlib import Path
from tests.search.test_host import Hosted
Hosted(Path(sys.argv[1])).run(pause=300.0)
"""


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    """In the middle of an epoch, however the parent ended."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT)
    until = time.time() + 60
    log = tmp_path / "log"
    while not (log.exists() and log.stat().st_size) and time.time() < until:
        time.sleep(0.02)
    (pid,) = {row["pid"] for row in noted(log)}
    assert running(pid)
    parent.kill()
    parent.wait()
    assert ended(pid)


def test_an_interrupted_question_ends_the_process(hosted: Hosted) -> None:
    """Its answer would be taken for that of the next question."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    hosted.run()
    pid = hosted.pid()
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            hosted.run(pause=300.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ended(pid)
    assert isinstance(hosted.run(), EpochReport)
