"""When a learner must stop, and how long it may still take: what is planned by that is not thrown away half done."""

from __future__ import annotations

import math
from collections.abc import Callable

from autoft.contracts import Stop


class Until:
    """A `Stop` that also tells the seconds that are left, and whether time is over where no step is taken."""

    def __init__(self, over: Stop, left: Callable[[], float], late: Stop | None = None) -> None:
        self.over, self.left, self.late = over, left, late or (lambda: left() <= 0)

    def __call__(self) -> bool:
        return self.over()


def seconds_left(stop: Stop) -> float:
    """Infinite where it does not tell."""
    return stop.left() if isinstance(stop, Until) else math.inf


def late(stop: Stop) -> bool:
    """Whether time is over for what is no step of training; where it does not tell, it never is."""
    return isinstance(stop, Until) and stop.late()
