"""The recurrent speech network that is trained from scratch: convolutions, and two layers that read both ways.

Small on purpose: it must learn from minutes of speech on two cores. It is the usual stack before a CTC output (Amodei
et al., 2016).
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from autoft.api import ModelCard
from autoft_torch._frames import BANDS, Frames, Step, halved


class Trunk(Frames):
    """Samples (n, t), NaN behind the end, to features (n, frames, width), NaN behind the end."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__(2 * hidden)
        self.first = Step(BANDS, channels, 2)
        self.second = Step(channels, channels, 2)
        self.recurrent = nn.ModuleList([BothWays(channels, hidden), BothWays(2 * hidden, hidden)])

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        x, ends = halved((self.first, self.second), *self.heard(values))
        back = _backwards(x.shape[1], ends)
        for layer in self.recurrent:
            x = layer(x, back)
        return self.told(x, ends, values)


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
        return torch.cat([self.forwards(x)[0], _taken(self.backwards(_taken(x, back))[0], back)], -1)


def _backwards(total: int, ends: torch.Tensor) -> torch.Tensor:
    """int64 (n, total): places in the order of reading backwards from each end; those behind it stay. Its own
    inverse."""
    places = torch.arange(total, device=ends.device)[None]
    return torch.where(places < ends[:, None], ends[:, None] - 1 - places, places)


def _taken(x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Rows of (n, total, width) at these places (n, total)."""
    return x.gather(1, places[..., None].expand_as(x))


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(int(card.extra["channels"]), int(card.extra["hidden"])), ()
