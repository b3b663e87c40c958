"""How fast a network learns at each step. Schedules need no memory."""

from __future__ import annotations

import math

from autoft.recipe import Recipe


def scheduled_rate(recipe: Recipe, step: int, total: float) -> float:
    """The head's learning rate at `step` of `total`, counted from 0: a linear warm-up, then the schedule to 0.

    It depends on nothing else, so a trial that is taken up again, or that copies another's weights, needs no
    schedule state.
    """
    warm = round(recipe.warmup * total)
    if step < warm:
        return recipe.lr * (step + 1) / (warm + 1)
    if recipe.schedule == "constant":
        return recipe.lr
    done = min(1.0, (step - warm) / max(1, total - warm))
    fall = 1 - done if recipe.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return recipe.lr * fall
