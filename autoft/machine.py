"""What of this machine a process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

GROUPS: Final = Path("/sys/fs/cgroup")
MINE: Final = Path("/proc/self/cgroup")
"""Where Linux says what groups of processes may use, and which groups this process is in."""


def cores() -> int:
    """Those that this process may run on, where the system tells, else all; no more than the processor time that its
    container or job is given. At least 1."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([there, *map(math.ceil, _shares())]))


def threads() -> int:
    """For numerical libraries, where nobody says how many: `OMP_NUM_THREADS`, else all cores."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, int(told)) if told.isdecimal() else cores()


def _shares() -> Iterator[float]:
    """Cores' worth of time that each group above this process may use, where there is a limit."""
    for folder in _folders(""):  # version 2
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        yield from _share(quota, period)
    for folder in _folders("cpu"):  # version 1
        yield from _share(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _share(quota: str, period: str) -> Iterator[float]:
    """Nothing where there is no limit, which `max` and -1 mean."""
    if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):
        yield int(quota) / int(period)


def _folders(controller: str) -> Iterator[Path]:
    """Those of this process's group and of all above it. Inside a container the path may be that of the host, which is
    not seen: its own limits then stand at the root."""
    for line in _read(MINE).splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if controller not in names.split(","):
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for root in (GROUPS / names, GROUPS / controller) if controller else (GROUPS, GROUPS / "unified"):
            yield from dict.fromkeys((root / inner, *(root / above for above in inner.parents)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:  # not Linux, another version of groups, or not of this container
        return ""
