"""How many cores a process may use: those that it may run on, and the time that its container is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoft import machine


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of eight cores without limits, whose groups a test may write."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "MINE", tmp_path / "mine")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    return tmp_path / "cgroup"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def test_without_limits_all_cores_that_it_may_run_on(groups: Path) -> None:
    assert machine.cores() == 8


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("1600000 100000", 8),
        ("", 8),
    ],
)
def test_the_time_of_a_container(groups: Path, limit: str, cores: int) -> None:
    write(machine.MINE, "0::/")
    write(groups / "cpu.max", limit)
    assert machine.cores() == cores


def test_the_least_of_all_groups_above_counts(groups: Path) -> None:
    write(machine.MINE, "0::/user.slice/job.scope")
    write(groups / "user.slice" / "cpu.max", "300000 100000")
    write(groups / "user.slice" / "job.scope" / "cpu.max", "max 100000")
    assert machine.cores() == 3


@pytest.mark.parametrize("names", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize("inside", [True, False])
def test_the_older_groups(groups: Path, names: str, inside: bool) -> None:
    """Inside a container the path is often that of the host, which is not seen."""
    write(machine.MINE, f"5:memory:/docker/1f\n4:{names}:/docker/1f\n0::/")
    folder = groups / names / "docker" / "1f" if inside else groups / names
    write(folder / "cpu.cfs_quota_us", "250000")
    write(folder / "cpu.cfs_period_us", "100000")
    assert machine.cores() == 3
    write(folder / "cpu.cfs_quota_us", "-1")
    assert machine.cores() == 8


@pytest.mark.parametrize(("told", "threads"), [("", 8), ("3", 3), ("4,2", 4), ("all", 8), ("0", 1)])
def test_threads_are_those_of_numerical_libraries(
    groups: Path, monkeypatch: pytest.MonkeyPatch, told: str, threads: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert machine.threads() == threads
