"""Promotion in asynchronous successive halving (Li et al., MLSys 2020): the guard of the learned strategy."""

from __future__ import annotations

from typing import Final

import numpy as np

from autoft_graybox.curve import Array
from autoft_graybox.features import State

FACTOR: Final = 3
FIRST: Final = 2
"""Epochs of the first rung. After one epoch alone, curves with a warm-up say nothing."""


def next_in_halving(state: State, value: Array, free: Array, epochs: int) -> int | None:
    """The configuration to promote from the highest rung that has one, else the one with most `value` to start.

    None when halving has come to its end. `free` (n,) says which may be chosen.
    """
    top = np.maximum.accumulate(state.scores, 1)
    rungs = [1, *_rungs(epochs)]
    for rung in reversed(rungs):
        there = np.flatnonzero(state.used >= rung)
        if len(there) < FACTOR:
            continue
        best = there[np.argsort(-top[there, rung - 1], kind="stable")][: len(there) // FACTOR]
        goal = FIRST if rung < FIRST else min(rung * FACTOR, epochs)
        short = [int(n) for n in best if free[n] and state.used[n] < goal]
        if short:
            return short[0]
    fresh = np.flatnonzero(free & (state.used < FIRST))
    return int(fresh[value[fresh].argmax()]) if len(fresh) else None


def _rungs(epochs: int) -> list[int]:
    rungs, rung = [], FIRST
    while rung < epochs:
        rungs.append(rung)
        rung *= FACTOR
    return rungs
