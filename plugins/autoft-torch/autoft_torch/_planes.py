"""Losses of maps of classes, computed plane by plane.

The classes of a place are few and places are many: a softmax over the last of (n, height, width, classes) takes a CPU
four times as long as one over planes (n, classes, height, width), and both losses of a mix can share it. Nothing is
spread into planes of 0 and 1.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from autoft.api import Output

WORDS = {"cross_entropy": ("cross_entropy",), "dice": ("dice",), "ce_dice": ("cross_entropy", "dice")}
#: Added to numerator and denominator of the Dice overlap.
SMOOTH = 1.0


def fits(output: Output, raw: torch.Tensor, targets: torch.Tensor) -> bool:
    """Whether this is a map of classes, of which each place has one, under losses that are known here."""
    exclusive = output.post not in ("sigmoid", "identity") and not targets.is_floating_point()
    return raw.ndim == 4 and targets.ndim == 3 and output.loss in WORDS and exclusive


def loss(output: Output, raw: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """The mean loss of a batch, float32.

    Args:
        raw: (n, height, width, classes), enlarged to the size of the targets.
        targets: class indices (n, height, width), negative ones left out.
        smoothing: of labels, for cross-entropy.
    """
    planes = raw.float().permute(0, 3, 1, 2).contiguous()
    if planes.shape[2:] != targets.shape[1:]:
        planes = F.interpolate(planes, targets.shape[1:], mode="bilinear", align_corners=False)
    logs, kept = planes.log_softmax(1), targets >= 0
    index = targets.long().clamp(min=0)
    right = logs.gather(1, index[:, None])[:, 0]
    weights = logs.new_tensor(output.class_weights or (1.0,) * output.size)
    found = []
    for word in WORDS[output.loss]:
        if word == "dice":
            found.append(_dice(logs.exp(), right.exp(), index, kept, weights))
        else:
            found.append(_cross_entropy(logs, right, index, kept, weights, smoothing))
    return torch.stack(found).sum()


def _cross_entropy(
    logs: torch.Tensor,
    right: torch.Tensor,
    index: torch.Tensor,
    kept: torch.Tensor,
    weights: torch.Tensor,
    smoothing: float,
) -> torch.Tensor:
    each = weights[index] * kept
    total = -(1 - smoothing) * (right * each).sum()
    if smoothing:
        total = total - smoothing / len(weights) * (_sums(logs, kept) * weights).sum()
    return total / each.sum().clamp(min=1e-6)


def _dice(
    chance: torch.Tensor, right: torch.Tensor, index: torch.Tensor, kept: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """One minus the soft overlap of each class that the batch has, over all places (Milletari et al., 2016)."""
    none, flat = torch.zeros_like(weights), index.flatten()
    overlap = none.index_add(0, flat, (right * kept).flatten())
    there = none.index_add(0, flat, kept.flatten().to(none.dtype))
    shares = (2 * overlap + SMOOTH) / (_sums(chance, kept) + there + SMOOTH)
    weights = weights * (there > 0)
    return ((1 - shares) * weights).sum() / weights.sum().clamp(min=1e-6)


def _sums(planes: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """(classes,): the sum of each plane over the places that count."""
    return (planes.flatten(2) @ kept.flatten(1)[..., None].to(planes.dtype)).sum((0, 2))
