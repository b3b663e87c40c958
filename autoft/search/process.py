"""What the search asks of the operating system: Ctrl-C and SIGTERM as wishes, memory, and what workers get."""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autoft.gpus import VISIBLE

OWN = re.compile(r"AUTOFT_CACHE|AUTOFT_SHARED|HF_TOKEN|HF_HOME|HF_\w*(_CACHE|_PATH)")
"""Variables that name a place on this machine, or a secret: each node has its own."""

SAME = 2.0
"""Seconds within which a second SIGTERM is the same wish."""

FREED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""For processes that compute: glibc then keeps large blocks for the next batch instead of giving them back to the
system, which would clear every page anew. Measured with a MobileNetV2 at 160 pixels on one core: 1.4 times the images
per second in training, up to 2 times in prediction. Other C libraries do not know these variables."""


def computing(threads: int = 0, cards: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a process that computes; with `threads`, as many for numerical libraries, and with `cards`,
    only these GPUs."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS") if threads else ()
    seen = {VISIBLE: ",".join(cards)} if cards else {}
    return {**FREED_MEMORY, **os.environ, **dict.fromkeys(names, str(threads)), **seen}


def for_workers(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that workers on another machine take over from the driver."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(("AUTOFT_", "HF_")) and not OWN.fullmatch(name)
    }


JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Where `ray job submit` says what its job is."""


def submitted(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that `ray job submit --runtime-env` gives to workers by itself."""
    if JOB not in environment:
        return ()
    try:
        found = json.loads(environment[JOB])["runtime_env"]["env_vars"]
    except (ValueError, KeyError, TypeError):  # it gives none
        return ()
    return tuple(found)


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C or SIGTERM asks trials to stop; a second one raises KeyboardInterrupt."""
    pressed: list[int] = []

    def note(number: int, frame: Any) -> None:
        if _once_more(number):
            return
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    with _heard((signal.SIGINT, signal.SIGTERM), note):
        yield lambda: bool(pressed)


@contextmanager
def ended_in_words() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does: what stops a container, a job of a cluster or a service then
    ends a command in the same way."""

    def stop(number: int, frame: Any) -> None:
        if not _once_more(number):
            raise KeyboardInterrupt

    with _heard((signal.SIGTERM,), stop):
        yield


_told: list[float] = []
"""When SIGTERM came last."""


def _once_more(number: int) -> bool:
    """Whether this is the SIGTERM that was heard a moment ago: `timeout` sends it to its command and to its group."""
    if number != signal.SIGTERM:
        return False
    before, _told[:] = _told[:], [time.monotonic()]
    return bool(before) and _told[0] - before[0] < SAME


@contextmanager
def _heard(numbers: Sequence[int], handler: Callable[[int, Any], None]) -> Iterator[None]:
    """These signals go to `handler`; outside the main thread, where none arrive, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, signal.SIG_DFL if old is None else old)


def left_to_the_driver() -> None:
    """In a process that works for a driver: Ctrl-C and SIGTERM, which may be sent to the whole group, are the driver's
    to understand. What this process starts itself can be ended as ever."""
    own = os.getpid()

    def stay(number: int, frame: Any) -> None:
        if os.getpid() != own:  # a fork of ours, that has taken this over
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stay)


def memory_mb() -> float:
    """Resident memory of this process, in MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:  # not Linux: the peak, in KB, is what there is
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def imported(target: str) -> Any:
    """What `package.module:name` names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def called(target: str, *arguments: Any) -> Any:
    """What the function `package.module:name` gives for these arguments."""
    return imported(target)(*arguments)
