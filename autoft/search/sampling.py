"""Random values of parameters, as JSON scalars."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from autoft.records import Param, Scalar
from autoft.search import space as spaces


def draw(space: Sequence[Param], generator: random.Random) -> dict[str, Scalar]:
    """One configuration of the space; parameters whose condition does not hold are left out."""
    return spaces.walk(space, lambda param: sample(param, generator))


def sample(param: Param, generator: random.Random) -> Scalar:
    """A value of the parameter; one that is listed twice is drawn twice as often."""
    if param.kind == "choice":
        return generator.choice(param.choices)
    if param.kind == "int":
        drawn = _uniform(param.low - 0.5, param.high + 0.5, param.log, generator)
        return int(min(max(round(drawn), param.low), param.high))
    return short(param, _uniform(param.low, param.high, param.log, generator))


def short(param: Param, value: float) -> float:
    """Four digits: what the leaderboard shows is then exactly what was run."""
    return float(min(max(float(f"{value:.4g}"), param.low), param.high))


def _uniform(low: float, high: float, log: bool, generator: random.Random) -> float:
    return math.exp(generator.uniform(math.log(low), math.log(high))) if log else generator.uniform(low, high)
