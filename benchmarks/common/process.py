"""A command as a process of its own: its wall time from start to end, and the CPU time of all that it started.

Ray's daemons and workers leave their parents behind, so what a parent has waited for misses most of them. Here this
process becomes the one that orphans are handed to (`PR_SET_CHILD_SUBREAPER`), so that the tree below it stays whole,
and a thread reads `/proc/PID/stat` of every process in it five times a second. The last reading of each counts; where
its parent has waited for it, the kernel's own sum adds what came after that reading. What can be lost is the last fifth
of a second of a process that nobody waited for, never more; the reading itself is not counted. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PERIOD = 0.2
"""Seconds between two readings."""
LINGER = 10.0
"""Seconds that processes may outlive their command; then they are killed."""
TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
ROOT = Path(__file__).resolve().parents[2]

#: Words in a command line -> what the process is for. The first that fits counts.
ROLES = (
    ("autoft.search import worker", "autoft worker"),
    ("autoft.search import forkserver", "autoft worker"),
    ("ray::IDLE", "ray idle worker"),
    ("ray::", "ray actor"),
    ("default_worker.py", "ray idle worker"),
    ("gcs_server", "ray daemons"),
    ("raylet", "ray daemons"),
    ("ray/_private", "ray daemons"),
    ("ray/autoscaler", "ray daemons"),
    ("ray/dashboard", "ray daemons"),
    ("multiprocessing", "worker"),
)


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    output: str
    """What it wrote to standard output."""
    began: float
    """Unix time at which it was started."""
    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of all processes that it started, and its own."""
    cpu_by: dict[str, float]
    """The same by what the processes were for."""


class _Seen:
    """One process: its parent and what it has used by the last reading."""

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.own = 0.0
        self.waited = 0.0
        """Of the children that it has waited for."""
        self.role = "other"


class Meter:
    """Reads what the processes below `root` use, until `stop`."""

    def __init__(self, root: int) -> None:
        self.root = root
        self._seen: dict[tuple[int, int], _Seen] = {}
        """By number and start, since numbers come again."""
        self._foreign: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, float]:
        """CPU seconds by role."""
        self._over.set()
        self._thread.join()
        self._read()
        found: dict[str, float] = defaultdict(float)
        children: dict[int, float] = defaultdict(float)
        for one in self._seen.values():
            found[one.role] += one.own
            children[one.parent] += one.own + one.waited
        for (number, _), one in self._seen.items():
            found["unseen"] += max(0.0, one.waited - children[number])
        return {role: round(seconds, 2) for role, seconds in sorted(found.items()) if seconds >= 0.005}

    def numbers(self) -> set[int]:
        """All that were seen."""
        return {number for number, _ in self._seen}

    def living(self) -> list[int]:
        """Processes of the tree that have not ended."""
        found = []
        for number, start in list(self._seen):
            stat = _stat(number)
            if stat and int(stat[19]) == start and stat[0] != "Z":
                found.append(number)
        return found

    def _watch(self) -> None:
        turn = 0
        while not self._over.wait(PERIOD):
            self._read(names=turn % 5 == 0)
            turn += 1

    def _read(self, *, names: bool = False) -> None:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 five times a second
        self._foreign &= set(numbers)
        fresh: dict[int, list[str]] = {}
        for number in numbers:
            if number not in self._foreign and (stat := _stat(number)):
                fresh[number] = stat
        for number, stat in fresh.items():
            if _below(int(stat[1]), fresh):
                self._note(number, stat, names)
            else:
                self._foreign.add(number)

    def _note(self, number: int, stat: list[str], names: bool) -> None:
        key = (number, int(stat[19]))
        known = self._seen.get(key)
        if known is None:
            known = self._seen[key] = _Seen(int(stat[1]))
            names = True
        known.own = (int(stat[11]) + int(stat[12])) / TICKS
        known.waited = (int(stat[13]) + int(stat[14])) / TICKS
        if names and stat[0] != "Z":
            known.role = "command" if number == self.root else _role(number) or known.role


def run(words: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None) -> Done:
    """Run a command to its end. It finds its own start as `BENCH_BEGAN`, and the repository's root on its path.

    Args:
        log: where standard error goes; by default to ours.
    """
    _adopt_orphans()
    variables = {**os.environ, **(environment or {}), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    variables["BENCH_BEGAN"] = repr(began := time.time())
    with contextlib.ExitStack() as stack:
        errors: Any = stack.enter_context(log.open("ab")) if log else None
        start = time.monotonic()
        process = subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, stderr=errors, text=True)
        meter = Meter(process.pid)
        assert process.stdout is not None
        lines: list[str] = []
        reader = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            code, wall = _ended(process.pid), time.monotonic() - start
        except BaseException:  # interrupted: leave nothing behind
            _kill(meter.living())
            raise
        left = _outlast(meter)
        used = meter.stop()
        _kill(left)
        process.returncode = code  # reaped below, so that its time could still be read
        _reap(meter.numbers())
        reader.join(LINGER)
        process.stdout.close()
    return Done(code, "".join(lines), began, round(wall, 3), round(sum(used.values()), 2), used)


def python(module: str, *words: str) -> list[str]:
    """The command line of a module of this repository."""
    return [sys.executable, "-m", module, *words]


def _ended(number: int) -> int:
    """Wait for a child without taking it out of the table of processes: its times are read afterwards."""
    info = os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    assert info is not None
    return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status


def _outlast(meter: Meter) -> list[int]:
    """Wait for what the command left behind; gives what does not end."""
    until = time.monotonic() + LINGER
    while (left := meter.living()) and time.monotonic() < until:
        time.sleep(PERIOD)
    return left


def _kill(numbers: Iterable[int]) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def _reap(numbers: Iterable[int]) -> None:
    """Take those that were handed to us, and have ended, out of the table of processes."""
    for number in numbers:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(number, os.WNOHANG)


def _adopt_orphans() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _below(parent: int, stats: Mapping[int, list[str]]) -> bool:
    """Whether this parent is ours, or stands below us."""
    while parent in stats and parent != os.getpid():
        parent = int(stats[parent][1])
    return parent == os.getpid()


def _stat(number: int) -> list[str] | None:
    """The fields of `/proc/PID/stat` after the name: state, parent, ...; None where the process is gone."""
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _role(number: int) -> str:
    """Empty for a process that is just ending: it has no words any more."""
    try:
        with open(f"/proc/{number}/cmdline", encoding="utf-8", errors="replace") as file:
            line = file.read().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return next((role for word, role in ROLES if word in line), f"other: {line[:40].strip()}" if line else "")
