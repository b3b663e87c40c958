"""Runs in the form of the Quick-Tune tables whose scores are made up: lr and network decide how a curve ends."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from autoft_graybox.surrogate import Surrogate
from autoft_graybox.table import Table, table
from autoft_graybox.training import learn

MODELS = {"good_net": 0.1, "fair_net": 0.0, "poor_net": -0.2}


@pytest.fixture(scope="session")
def tables() -> dict[str, Table]:
    return {f"set{n}": table(_runs(n, 60)) for n in range(6)}


@pytest.fixture(scope="session")
def unseen() -> Table:
    """A data set that `learned` was not learned from."""
    return table(_runs(6, 60))


@pytest.fixture(scope="session")
def others() -> list[Table]:
    """More of them."""
    return [table(_runs(n, 60)) for n in range(6, 12)]


@pytest.fixture(scope="session")
def learned(tables: dict[str, Table]) -> Surrogate:
    """Learned from six data sets, in seconds."""
    return learn(tables, seed=0, searches=30, networks=2, rounds=8)


def _runs(seed: int, count: int) -> list[dict[str, Any]]:
    generator = random.Random(seed)
    hardness = generator.uniform(0.6, 0.85)
    return [_run(generator, hardness) for _ in range(count)]


def _run(generator: random.Random, hardness: float) -> dict[str, Any]:
    model, lr = generator.choice(list(MODELS)), 10 ** generator.uniform(-5, -2)
    final = hardness + MODELS[model] - 0.15 * abs(math.log10(lr) + 3.5) + generator.gauss(0, 0.03)
    final, pace = min(max(final, 0.02), 0.99), generator.uniform(1, 12)
    accuracy = [100 * final * (1 - math.exp(-(epoch + 1) / pace)) for epoch in range(50)]
    seconds = [{"good_net": 30.0, "fair_net": 10.0, "poor_net": 5.0}[model]] * 50
    return {"config": {**CONFIG, "model": model, "lr": lr}, "accuracy": accuracy, "seconds": seconds}


CONFIG: dict[str, Any] = {
    "opt": "adamw",
    "momentum": 0.0,
    "batch_size": 32,
    "pct_to_freeze": 0.4,
    "weight_decay": 0.01,
    "drop": 0.0,
    "smoothing": 0.0,
    "mixup": 0.0,
    "mixup_prob": 0.0,
    "cutmix": 0.0,
    "warmup_epochs": 0,
    "clip_grad": 1.0,
    "layer_decay": 0.0,
    "data_augmentation": None,
    "sched": "cosine",
    "stoch_norm": False,
    "delta_reg": 0.0,
    "bss_reg": 0.0,
    "sp_reg": 0.0,
    "cotuning_reg": 0.0,
}
