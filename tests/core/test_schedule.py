"""How fast a network learns at each step."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoft.api import Recipe, scheduled_rate


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_schedules(schedule):
    recipe = Recipe(lr=0.1, warmup=0.2, schedule=schedule)
    rates = [scheduled_rate(recipe, step, 100) for step in range(100)]
    assert np.allclose(np.diff(rates[:21]), 0.1 / 21), "the warm-up is a straight line up to lr"
    after = {
        "cosine": [0.05 * (1 + math.cos(math.pi * k / 80)) for k in range(80)],
        "linear": [0.1 * (1 - k / 80) for k in range(80)],
        "constant": [0.1] * 80,
    }
    assert np.allclose(rates[20:], after[schedule])
