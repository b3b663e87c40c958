"""The convolutional speech network that is trained from scratch: each frame of its output hears 0.6 seconds.

A recurrent network also learns in which order words stood in its training transcripts. One that hears a stretch of
sound cannot (Collobert et al., 2016), if neither silence (`_frames`) nor padding tell it where a recording begins:
before the first frame stand the next ones, as in a mirror. Blocks are time-channel separable convolutions with
residuals, as in QuartzNet (Kriman et al., 2020); each frame is normalised by itself and not over the batch: batches
are small, and padded.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import ModelCard
from autoft_torch._frames import BANDS, STRIDE, Frames, taken

FIRST = 5
"""Frames in the kernels of the first two convolutions, which halve them."""
EDGE = 2
"""Frames at either end of a recording whose windows reach beyond it."""


class Trunk(Frames):
    """Samples (n, t), NaN behind the end, to features (n, frames, channels), NaN behind the end."""

    def __init__(self, channels: int, kernel: int, depth: int) -> None:
        super().__init__(channels)
        self.first = Step(BANDS, channels)
        self.second = Step(channels, channels)
        self.blocks = nn.ModuleList([Separable(channels, kernel) for _ in range(depth)])
        self.norm = nn.LayerNorm(channels)
        self.reach = 3 * (FIRST // 2) + STRIDE * depth * (kernel // 2)
        """Frames of 10 ms that are heard before and behind the one in the middle."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        x, begins, ends = self.heard(values)
        x = taken(x, _mirrored(x.shape[1], begins, ends, self.reach))
        x = self.second(self.first(x))
        for block in self.blocks:
            x = block(x)
        return self.told(self.norm(x), begins, ends, values)


class Step(nn.Module):
    """A convolution that halves the frames, without padding."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, FIRST, stride=2)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(self.norm(self.convolution(x.transpose(1, 2)).transpose(1, 2)))


class Separable(nn.Module):
    """Adds to frames (n, t, channels) what a convolution of each channel over time, then of each frame over the
    channels, makes of them; without padding, so that the outermost frames are lost."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.side = kernel // 2
        self.along = nn.Conv1d(channels, channels, kernel, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        near = self.norm(self.along(x.transpose(1, 2)).transpose(1, 2))
        return x[:, self.side : x.shape[1] - self.side] + self.narrow(F.gelu(self.wide(near)))


def _mirrored(total: int, begins: torch.Tensor, ends: torch.Tensor, reach: int) -> torch.Tensor:
    """int64 (n, total + 2 * reach): the frames to take so that each recording goes on beyond both of its ends as in
    mirrors."""
    places = torch.arange(-reach, total + reach, device=ends.device)[None]
    low = torch.minimum(begins.clamp(min=EDGE), ends - 1)[:, None]
    wide = (ends[:, None] - 1 - EDGE - low).clamp(min=0)
    around = (places - low) % (2 * wide).clamp(min=1)
    return low + torch.minimum(around, 2 * wide - around)


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(*(int(card.extra[key]) for key in ("channels", "kernel", "depth"))), ()
