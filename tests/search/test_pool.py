"""A strategy's orders carried out on this machine without Ray: deaths, the deadline, Ctrl-C, and what is left over."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from autoft.gpus import VISIBLE
from autoft.records import Metric, TrialSpec
from autoft.search import pool
from autoft.search.crew import Crew
from autoft.search.settings import Settings
from autoft.search.strategy import Order
from tests.search import scripted
from tests.search.scripted import Seen, noted
from tests.search.test_crew import Planned
from tests.search.test_ray import Started, most_at_once, running

SCRIPT = """
import sys
from pathlib import Path
from tests.search.test_pool import Pooled, orders

pause = float(sys.argv[2])
seen = Pooled(Path(sys.argv[1]), *orders({"epochs": 2}, {"epochs": 10_000, "pause": pause}))
for result in seen.results:
    print(result.number, result.status, result.score is not None, result.reason)
print("interrupted", seen.interrupted)
"""


class Pooled(Seen):
    """What the pool made of a strategy's orders."""

    def __init__(self, folder: Path, *works: Sequence[Order], target: str = scripted.TARGET, **more: Any) -> None:
        super().__init__()
        self.log, self.folder = folder / "log", folder
        settings = Settings(
            metric=Metric(name="accuracy"), folder=str(folder), target=target, **{"concurrency": 1, **more}
        )
        self.interrupted = pool.run(settings, Crew(settings, Planned(*works), self.spec_of, self))

    def spec_of(self, number: int, params: dict[str, Any]) -> TrialSpec | None:
        return scripted.spec_in(self.folder, number, {"epochs": 3, **params}, Metric(name="accuracy"))


def orders(*params: dict[str, Any]) -> list[list[Order]]:
    return [[Order(number, one)] for number, one in enumerate(params)]


def alive(log: Path) -> set[int]:
    return {row["pid"] for row in noted(log) if running(row["pid"])}


def test_trials_pause_fail_and_go_on(tmp_path: Path) -> None:
    seen = Pooled(
        tmp_path,
        [Order(0, {"lr": 0.1}, until=1), Order(1, {"lr": 0.2})],
        [Order(2, {"lr": 0.1, "do": "raise"})],
        [Order(0, None)],
    )
    assert not seen.interrupted
    assert {r.number: r.status for r in seen.results} == {0: "finished", 1: "finished", 2: "failed"}
    assert [report.epoch for report in seen[0].history] == [1, 2, 3]


def test_each_hand_keeps_to_the_gpus_that_were_dealt_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = tmp_path / "dev"
    devices.mkdir()
    for number in range(9):
        (devices / f"nvidia{number}").touch()
    monkeypatch.setattr("autoft.gpus.DEVICES", devices)
    monkeypatch.setenv(VISIBLE, "7,8")
    assert pool.machine().gpus == 2
    works = [[Order(number, {"do": "gather", "of": 4})] for number in range(4)]
    seen = Pooled(tmp_path, *works, concurrency=4, gpus=0.5)
    assert {r.status for r in seen.results} == {"finished"}
    told = [row["gpus"] for row in noted(seen.log) if row["what"] == "begun"]
    assert sorted(told) == ["7", "7", "8", "8"]


def test_as_many_at_a_time_as_wanted(tmp_path: Path) -> None:
    for wanted in (1, 2):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        seen = Pooled(folder, *orders(*[{"do": "gather", "of": wanted}] * 4), concurrency=wanted)
        assert {r.status for r in seen.results} == {"finished"}
        assert most_at_once(noted(seen.log)) == wanted


def test_a_process_that_dies_twice_fails_its_trial_alone(tmp_path: Path) -> None:
    seen = Pooled(tmp_path, *orders({"do": "die once"}, {"do": "die"}, {}))
    assert {r.number: r.status for r in seen.results} == {0: "finished", 1: "failed", 2: "finished"}
    assert "code 7" in seen[1].reason


def test_the_deadline_ends_a_trial_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    began = time.time()
    seen = Pooled(tmp_path, *orders({}, {"pause": 300.0}), deadline=began + 8, concurrency=2)
    assert not seen.interrupted
    assert time.time() - began < 60
    assert {r.number: r.status for r in seen.results} == {0: "finished"}, "of the other there is nothing to tell"
    assert not alive(seen.log)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, pool._Hand)]


def test_a_trial_that_cannot_be_made_is_told_and_ends_no_search(tmp_path: Path) -> None:
    seen = Pooled(tmp_path, *orders({}), target="tests.search.scripted:Nothing")
    assert [r.status for r in seen.results] == ["failed"]
    assert "Nothing" in seen[0].reason


@pytest.mark.parametrize("pause", [0.1, 300.0], ids=["between epochs", "within an epoch"])
def test_ctrl_c_stops_what_runs_and_keeps_what_ended(pause: float, tmp_path: Path) -> None:
    search = Started(tmp_path, pause, SCRIPT)
    search.await_trial(1, "stepped" if pause < 1 else "begun")
    search.press()
    lines, err = search.end()
    cut = ["1 stopped True interrupted"] if pause < 1 else []
    assert lines == ["0 finished True all epochs done", *cut, "interrupted True"]
    assert (search.process.returncode, err) == (0, "")
    assert not search.left_over()


def test_ray_is_not_imported() -> None:
    code = (
        "import sys; import autoft.pipeline.search; assert not [m for m in sys.modules if m.partition('.')[0] == 'ray']"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
