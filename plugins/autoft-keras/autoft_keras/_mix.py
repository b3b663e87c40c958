"""Mixup (Zhang et al., 2018) and cutmix (Yun et al., 2019): batches in which each sample is blended with another."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from autoft.api import Problem, Recipe
from autoft_keras._losses import soften

Tensor = Any
Targets = dict[str, Any]


def mix(
    images: Tensor, targets: Targets, problem: Problem, recipe: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Targets]:
    """Blend a batch with itself in another order; where both are on, each batch draws one of the two.

    Args:
        images: float32 (n, h, w, 3), in any units: to blend and to normalise may change places.
        targets: by target key; classes come back as probabilities (n, size), also of a batch of one.
    """
    ways = [way for way, alpha in (("mixup", recipe.mixup), ("cutmix", recipe.cutmix)) if alpha > 0]
    if not ways:
        return images, targets
    soft = {output.target: soften(output, targets[output.target]) for output in problem.outputs}
    if len(images) < 2:
        return images, soft
    way = ways[int(rng.integers(len(ways)))]
    share = float(rng.beta(getattr(recipe, way), getattr(recipe, way)))
    other = tf.constant(rng.permutation(len(images)))
    if way == "mixup":
        images = _lerp(images, other, share)
    else:
        images, share = _paste(images, other, share, rng)
    return images, {key: _lerp(values, other, share) for key, values in soft.items()}


def _lerp(values: Tensor, other: Tensor, share: float) -> Tensor:
    return values * share + tf.gather(values, other) * (1 - share)


def _paste(images: Tensor, other: Tensor, share: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    """One rectangle of 1 - share of the area from the other image; returns the share that truly stayed."""
    height, width = images.shape[1:3]
    side = (1 - share) ** 0.5
    top, left = rng.integers(height), rng.integers(width)
    half_h, half_w = round(height * side / 2), round(width * side / 2)
    y = slice(max(0, int(top) - half_h), min(height, int(top) + half_h))
    x = slice(max(0, int(left) - half_w), min(width, int(left) + half_w))
    inside = np.zeros((1, height, width, 1), np.bool_)
    inside[:, y, x] = True
    share = 1 - (y.stop - y.start) * (x.stop - x.start) / (height * width)
    return tf.where(inside, tf.gather(images, other), images), share
