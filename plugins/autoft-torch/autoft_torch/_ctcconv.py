"""The convolutional speech network that is trained from scratch: each of its frames hears a stretch of sound alone.

A recurrent network learns in which order words stood in its training transcripts, too; one whose outputs hear a second
cannot (Collobert et al., 2016). Blocks are time-channel separable convolutions with residuals, as in QuartzNet (Kriman
et al., 2020), each frame normalised by itself and not over the batch: batches are small, and padded.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import ModelCard
from autoft_torch._frames import BANDS, Frames, Step, halved, within


class Trunk(Frames):
    """Samples (n, t), NaN behind the end, to features (n, frames, channels), NaN behind the end."""

    def __init__(self, channels: int, kernel: int, depth: int) -> None:
        super().__init__(channels)
        self.first = Step(BANDS, channels, 2)
        self.second = Step(channels, channels, 2)
        self.blocks = nn.ModuleList([Separable(channels, kernel) for _ in range(depth)])
        self.norm = nn.LayerNorm(channels)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        x, ends = halved((self.first, self.second), *self.heard(values))
        there = within(x.shape[1], ends)[..., None]
        for block in self.blocks:
            x = block(x) * there
        return self.told(self.norm(x), ends, values)


class Separable(nn.Module):
    """Adds to frames (n, t, channels) what a convolution of each channel over time, then of each frame over the
    channels, makes of them. What stands behind an end must be 0."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        near = self.norm(self.along(x.transpose(1, 2)).transpose(1, 2))
        return x + self.narrow(F.gelu(self.wide(near)))


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(*(int(card.extra[key]) for key in ("channels", "kernel", "depth"))), ()
