"""The recurrent speech network that is trained from scratch: convolutions, and two layers that read both ways.

Small on purpose: it must learn from minutes of speech on two cores. It is the usual stack before a CTC output (Amodei
et al., 2016).
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import ModelCard
from autoft_torch._frames import BANDS, Frames, taken, within


class Trunk(Frames):
    """Samples (n, t), NaN behind the end, to features (n, frames, width), NaN behind the end."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__(2 * hidden)
        self.first = Step(BANDS, channels, 2)
        self.second = Step(channels, channels, 2)
        self.recurrent = nn.ModuleList([BothWays(channels, hidden), BothWays(2 * hidden, hidden)])

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        x, begins, ends = self.heard(values)
        at = ends
        for step in (self.first, self.second):
            at = -(-at // step.stride)
            x = step(x, within(x.shape[1] // step.stride, at))
        back = _backwards(x.shape[1], at)
        for layer in self.recurrent:
            x = layer(x, back)
        return self.told(x, begins, ends, values)


class Step(nn.Module):
    """A convolution over time whose output behind the end is 0, so that padding has no effect."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = nn.Conv1d(inputs, outputs, 5, stride=stride, padding=2)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        x = F.gelu(self.norm(self.convolution(x.transpose(1, 2)).transpose(1, 2)))
        return x * there[..., None]


class BothWays(nn.Module):
    """A recurrent layer that reads forwards, and one that reads each recording backwards from its own end.

    Two plain layers in place of one for packed sequences: oneDNN computes these in one piece, where a packed one is a
    chain of small operations for every frame.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(inputs, hidden, batch_first=True)
        self.backwards = nn.LSTM(inputs, hidden, batch_first=True)

    def forward(self, x: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """Args: back: from `_backwards`."""
        return torch.cat([self.forwards(x)[0], taken(self.backwards(taken(x, back))[0], back)], -1)


def _backwards(total: int, ends: torch.Tensor) -> torch.Tensor:
    """int64 (n, total): places in the order of reading backwards from each end; those behind it stay. Its own
    inverse."""
    places = torch.arange(total, device=ends.device)[None]
    return torch.where(places < ends[:, None], ends[:, None] - 1 - places, places)


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(int(card.extra["channels"]), int(card.extra["hidden"])), ()
