"""Mixup (Zhang et al., 2018) and cutmix (Yun et al., 2019): batches in which each sample is blended with another. Of
recordings, mixup alone: two are heard at once."""

from __future__ import annotations

import numpy as np
import torch

from autoft.api import Problem, Recipe
from autoft_torch._losses import soften

Targets = dict[str, torch.Tensor]


def mix(
    images: torch.Tensor, targets: Targets, problem: Problem, recipe: Recipe, rng: np.random.Generator
) -> tuple[torch.Tensor, Targets]:
    """Blend a batch with itself in another order; where both are on, each batch draws one of the two.

    Args:
        images: (n, 3, h, w), normalised; or recordings (n, t), NaN behind the end.
        targets: by target key; classes come back as probabilities (n, size).
    """
    cutmix = recipe.cutmix if images.ndim == 4 else 0.0
    ways = [way for way, alpha in (("mixup", recipe.mixup), ("cutmix", cutmix)) if alpha > 0]
    if not ways or len(images) < 2:
        return images, targets
    way = ways[int(rng.integers(len(ways)))]
    share = float(rng.beta(getattr(recipe, way), getattr(recipe, way)))
    other = torch.as_tensor(rng.permutation(len(images)), device=images.device)
    if way == "mixup":
        images = torch.lerp(images[other], images, share) if images.ndim == 4 else _at_once(images, other, share)
    else:
        images, share = _paste(images, other, share, rng)
    mixed = dict(targets)
    for output in problem.outputs:
        soft = soften(output, targets[output.target])
        mixed[output.target] = torch.lerp(soft[other], soft, share)
    return images, mixed


def _at_once(waves: torch.Tensor, other: torch.Tensor, share: float) -> torch.Tensor:
    """As long as the longer of the two."""
    known = waves.isfinite()
    mixed = torch.lerp(waves[other].nan_to_num(), waves.nan_to_num(), share)
    return mixed.masked_fill(~(known | known[other]), torch.nan)


def _paste(
    images: torch.Tensor, other: torch.Tensor, share: float, rng: np.random.Generator
) -> tuple[torch.Tensor, float]:
    """One rectangle of 1 - share of the area from the other image; returns the share that truly stayed."""
    height, width = images.shape[2:]
    side = (1 - share) ** 0.5
    top, left = rng.integers(height), rng.integers(width)
    half_h, half_w = round(height * side / 2), round(width * side / 2)
    y = slice(max(0, int(top) - half_h), min(height, int(top) + half_h))
    x = slice(max(0, int(left) - half_w), min(width, int(left) + half_w))
    images = images.clone()
    images[:, :, y, x] = images[other][:, :, y, x]
    return images, 1 - (y.stop - y.start) * (x.stop - x.start) / (height * width)
