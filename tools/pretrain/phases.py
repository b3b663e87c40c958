"""The run whose result ships: three phases, each from the averaged weights at which the one before stopped.

The first learns from nothing; the second raises the rate again and asks more for telling views apart; the third lets
the rate fall to nothing. Losses that are not named keep the weight in `learner.WEIGHTS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.pretrain.train import Plan


@dataclass(frozen=True)
class Phase:
    """A plan, the weights of losses that differ, after how many steps it stops, and steps between checkpoints."""

    plan: Plan
    losses: dict[str, float] = field(default_factory=dict)
    stop: int = 0
    every: int = 500


def shipped(seed: int) -> tuple[Phase, ...]:
    return (
        Phase(Plan(seed=seed)),
        Phase(Plan(seed=seed, steps=3200, batch=96), {"pair": 1.0, "category": 0.3}, stop=400, every=400),
        Phase(Plan(seed=seed, steps=1700, batch=96, rate=1.5e-3), {"pair": 0.7}, every=425),
    )
