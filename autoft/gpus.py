"""The GPUs of this machine: which there are, and which of them each trial sees.

None is opened here: a process that has opened one cannot be forked any more.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

DEVICES: Final = Path("/dev")
AMD: Final = "kfd"
WINDOWS: Final = "dxg"
"""Devices of GPUs that are not known by name here: AMD's, and those of Windows below this Linux."""
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""Environment variable that names the GPUs that a process sees."""


def present() -> bool:
    """Whether this machine has a GPU of any kind that this process may use."""
    hidden = os.environ.get(VISIBLE, "0").strip() in ("", "-1")
    return bool(names()) or (DEVICES / AMD).exists() or ((DEVICES / WINDOWS).exists() and not hidden)


def on_gpus(share: float) -> bool:
    """Whether trials that are to have this share of a GPU, -1 for one if there are any, have one."""
    return share > 0 or (share < 0 and present())


def names() -> tuple[str, ...]:
    """Each NVIDIA GPU that this process may use, as `CUDA_VISIBLE_DEVICES` names it."""
    count = sum(1 for _ in DEVICES.glob("nvidia[0-9]*"))
    told = os.environ.get(VISIBLE)
    if told is None or not count:
        return tuple(str(number) for number in range(count))
    found: list[str] = []
    for name in map(str.strip, told.split(",")):
        # NVIDIA's own rule: what comes behind a name that is none is not seen.
        if not name or name.startswith("-") or name == "NoDevFiles" or name in found:
            break
        if name.isdecimal() and int(name) >= count:
            break
        found.append(name)
    return tuple(found)


def fit(count: float, share: float) -> int:
    """Trials at a time on `count` GPUs, where each takes `share` of one, or several whole ones."""
    return int(count / math.ceil(share)) if share >= 1 else int(count) * int(1 / share + 1e-9)


def dealt(there: Sequence[str], share: float, trials: int) -> list[tuple[str, ...]]:
    """The GPUs that each of `trials` at a time sees, spread evenly: one of which it takes `share`, or several whole
    ones; none where there are too few."""
    each = math.ceil(share)
    hands = [tuple(there[first : first + each]) for first in range(0, len(there) - each + 1, each)]
    return [hands[number % len(hands)] if hands else () for number in range(trials)]
