"""The run whose result ships: two phases, the second from the averaged weights at which the first stopped.

The first sees smaller images, many a second, and stops while its rate is still high; the second sees larger ones, and
lets the rate fall to nothing. Losses that are not named keep the weight in `learner.WEIGHTS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.pretrain.train import Plan

#: Composites in the bank.
COMPOSITES = 20_000


@dataclass(frozen=True)
class Phase:
    """A plan, the weights of losses that differ, after how many steps it stops, and steps between checkpoints."""

    plan: Plan
    losses: dict[str, float] = field(default_factory=dict)
    stop: int = 0
    every: int = 500


def shipped(seed: int) -> tuple[Phase, ...]:
    return (
        Phase(Plan(seed=seed, steps=8000, batch=96, sides=(56, 40), bf16=True), stop=2000, every=2000),
        Phase(Plan(seed=seed, steps=1200, batch=96, rate=1.5e-3, sides=(64, 48), bf16=True), every=300),
    )
