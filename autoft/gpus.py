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
OTHERS: Final = ("kfd", "dxg")
"""Devices of GPUs that are not known by name here: AMD's, and those of Windows below this Linux."""
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""Environment variable that names the GPUs that a process sees."""


def present() -> bool:
    """Whether this machine has a GPU of any kind that this process may use."""
    return bool(names()) or any((DEVICES / kind).exists() for kind in OTHERS)


def names() -> tuple[str, ...]:
    """Each NVIDIA GPU that this process may use, as `CUDA_VISIBLE_DEVICES` names it."""
    told = os.environ.get(VISIBLE)
    if told is None:
        return tuple(str(number) for number, _ in enumerate(DEVICES.glob("nvidia[0-9]*")))
    found: list[str] = []
    for name in told.split(","):
        # NVIDIA's own rule: what comes behind a name that is none is not seen.
        if not name.strip() or name.strip().startswith("-") or name.strip() == "NoDevFiles":
            break
        found.append(name.strip())
    return tuple(found)


def fit(count: float, share: float) -> int:
    """Trials at a time on `count` GPUs, where each takes `share` of one, or several whole ones."""
    return int(count / math.ceil(share)) if share >= 1 else int(count) * int(1 / share + 1e-9)


def dealt(there: Sequence[str], share: float, trials: int) -> list[tuple[str, ...]]:
    """The GPUs that each of `trials` at a time sees, spread evenly: one of which it takes `share`, or several whole
    ones."""
    each = math.ceil(share)
    hands = [tuple(there[first : first + each]) for first in range(0, len(there) - each + 1, each)]
    return [hands[number % len(hands)] for number in range(trials)]
