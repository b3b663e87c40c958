"""Normalisation over a recording's own frames, in the place of one over all that its batch was padded to."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class FrameNorm(nn.GroupNorm):
    """Each channel of a recording with mean 0 and deviation 1 over its frames (n, channels, frames).

    The base networks of wav2vec 2.0 and HuBERT have a `GroupNorm` there, which sees padding too: what a recording gives
    would hang on its neighbours, and hardly be itself beside one ten times as long. Arrays and their names stay.
    """

    frames: torch.Tensor | None = None
    """Of each recording (n,), to be set before `forward`."""

    @classmethod
    def within(cls, net: Any) -> FrameNorm | None:
        """Put into the first convolution of such a network; None where there is no such norm."""
        first = net.feature_extractor.conv_layers[0]
        norm = getattr(first, "layer_norm", None)
        if not isinstance(norm, nn.GroupNorm):
            return None
        found = cls(norm.num_groups, norm.num_channels, norm.eps)
        found.load_state_dict(norm.state_dict())
        first.layer_norm = found
        return found

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's own name for it)
        if self.frames is None or self.num_groups != self.num_channels:
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            x, count = input.float(), self.frames[:, None, None]
            there = torch.arange(x.shape[2], device=x.device)[None, None] < count
            mean = (x * there).sum(2, keepdim=True) / count
            spread = (((x - mean) * there) ** 2).sum(2, keepdim=True) / count
            found = (x - mean) / (spread + self.eps).sqrt() * self.weight[:, None] + self.bias[:, None]
        return found.to(input.dtype)
