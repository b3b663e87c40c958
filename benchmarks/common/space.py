"""The space that all arms search, the words that tell autoft of it, and configurations drawn from it once for all arms.

Freeze depth, learning rate, batch size, weight decay and dropout of AdamW with a cosine schedule. The ranges are those
of autoft's own default space for the same network, so that a peer is given good ones.
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

Config = dict[str, float]
DEPTHS = (0.4, 0.55, 0.7, 0.85, 1.0)
"""The head alone and four partly frozen depths, for runs over a list of configurations."""
FREE = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Depths of a search that may choose."""
PLAIN = (
    "optimizer=adamw schedule=cosine warmup=0 clip=0 label_smoothing=0 l1=0 class_weights=none head_width=0 "
    "layer_decay=1 augment=none mixup=0 cutmix=0 patience=0"
).split()
"""All else as the peers have it."""


class Space(NamedTuple):
    """Choices are drawn evenly, ranges log-uniformly."""

    freeze: tuple[float, ...]
    lr: tuple[float, float]
    batch_size: tuple[int, ...]
    weight_decay: tuple[float, float]
    dropout: tuple[float, ...]


def space(model: str, depths: tuple[float, ...] = FREE, samples: int = 10_000) -> Space:
    """For one network. The bundled one is weak and takes higher rates; small data take small batches."""
    rates = (3e-4, 1e-2) if model.startswith("autoft/") else (1e-4, 5e-3)
    batches = tuple(size for size in (16, 32, 64) if samples // size >= 8) or (8,)
    return Space(depths, rates, batches, (1e-5, 5e-2), (0.0, 0.1, 0.2))


def draw(whole: Space, count: int, seed: int) -> list[Config]:
    """So many configurations; each depth comes equally often, in a drawn order."""
    rng = random.Random(seed)
    depths = [whole.freeze[i % len(whole.freeze)] for i in range(count)]
    rng.shuffle(depths)
    return [
        {
            "freeze": depth,
            "lr": _log(rng, whole.lr),
            "batch_size": rng.choice(whole.batch_size),
            "weight_decay": _log(rng, whole.weight_decay),
            "dropout": rng.choice(whole.dropout),
        }
        for depth in depths
    ]


def words(whole: Space, size: int, epochs: int) -> list[str]:
    """`key=value` that hold autoft to this space."""
    return [
        f"image_size={size}",
        f"epochs={epochs}",
        *PLAIN,
        f"freeze={_list(whole.freeze)}",
        f"lr={whole.lr[0]:g}..{whole.lr[1]:g}:log",
        f"batch_size={_list(whole.batch_size)}",
        f"weight_decay={whole.weight_decay[0]:g}..{whole.weight_decay[1]:g}:log",
        f"dropout={_list(whole.dropout)}",
    ]


def _list(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:g}" for value in values)


def _log(rng: random.Random, bounds: tuple[float, float]) -> float:
    return float(f"{math.exp(rng.uniform(math.log(bounds[0]), math.log(bounds[1]))):.4g}")
