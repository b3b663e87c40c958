"""Dense heads: the levels of a trunk joined at stride 4 (Lin et al., 2017, feature pyramids), then a map per output."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import Output, Recipe
from autoft_torch import _levels

WIDTH = 48
"""Channels at stride 4. Wider ones cost more than most small trunks."""
GROUPS = 8
"""Groups of channels of a level that are brought to one mean and deviation each (Wu & He, 2018), before levels are
added: levels differ in size, and small ones would say little for long. Unlike batch normalisation it is the same in
evaluation, and for batches of 4, which small data need."""
PRIOR = 0.05
"""What a sigmoid over a heat map says before training: most places are empty (RetinaNet's prior)."""
SPARSE = ("focal", "heatmap")
CLASSED = ("cross_entropy", "dice", "ce_dice")
"""Losses of maps of classes. Their last layer starts at its usual size: from 0.01, as detectors start, most of a short
training went by until any class but the largest was predicted."""


class Neck(nn.Module):
    """Levels (finest first) to one map (n, WIDTH, height, width): coarse ones are enlarged and added, step by step."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.sides = nn.ModuleList(_side(inputs) for inputs in channels)

    def forward(self, levels: Sequence[torch.Tensor], side: int) -> torch.Tensor:
        """`side` is that of the map."""
        joined = None
        for part, level in zip(reversed(self.sides), reversed(levels), strict=True):
            here: torch.Tensor = part(level)
            joined = here if joined is None else here + sized(joined, here.shape[-1])
        assert joined is not None
        return sized(joined, side)


def _side(inputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, WIDTH, 1, bias=False), nn.GroupNorm(GROUPS, WIDTH))


def side_of(size: int) -> int:
    """Side of dense maps for an image of this side."""
    return math.ceil(size / _levels.FINEST)


def head(output: Output, recipe: Recipe) -> nn.Module:
    """A 3x3 convolution and one to the output's channels; `head_width` is the width between them."""
    width = recipe.head_width or WIDTH
    last = nn.Conv2d(width, output.size, 1)
    if output.loss not in CLASSED:
        nn.init.normal_(last.weight, std=0.01)
    nn.init.constant_(last.bias, math.log(PRIOR / (1 - PRIOR)) if output.loss in SPARSE else 0.0)
    return nn.Sequential(_convolution(WIDTH, width), nn.Dropout2d(recipe.dropout), last)


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def sized(values: torch.Tensor, side: int) -> torch.Tensor:
    if values.shape[-1] == side:
        return values
    return F.interpolate(values, (side, side), mode="bilinear", align_corners=False)
