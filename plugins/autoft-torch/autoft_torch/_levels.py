"""What a trunk gives at several strides, for dense heads. Same arrays, same names: only the way through differs.

Autoft's own networks and those of timm can tell; the finest level is at stride 4 where the network has one (a plain
vision transformer has one level alone, at its patch size).
"""

from __future__ import annotations

import torch
from torch import nn

from autoft.api import TrialFailed

FINEST = 4
"""Stride of the finest level that is used."""


def levels(trunk: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Maps (n, channels, height, width), the finest first, of one or several strides.

    Raises:
        TrialFailed: the trunk cannot tell them.
    """
    if hasattr(trunk, "levels"):
        found: list[torch.Tensor] = trunk.levels(images)
    elif hasattr(trunk, "forward_intermediates"):
        found = trunk.forward_intermediates(images, intermediates_only=True)
    else:
        raise TrialFailed(f"dense outputs need a network that gives maps, but {type(trunk).__name__} gives vectors.")
    by_side: dict[int, torch.Tensor] = {}
    for level in found:  # of several maps at one stride the last is the ripest
        if level.shape[-1] * FINEST <= images.shape[-1] + FINEST - 1:
            by_side[level.shape[-1]] = level
    return [by_side[side] for side in sorted(by_side, reverse=True)]


@torch.no_grad()
def channels(trunk: nn.Module, size: int) -> list[int]:
    """Channels of each level, the finest first."""
    trunk.eval()
    return [level.shape[1] for level in levels(trunk, torch.zeros(1, 3, size, size))]
