"""What speech networks that are trained from scratch have in common: log-mel frames, masked in training, and the frames
of the output, which end where a recording ends.

Masks over bands and frames are those of SpecAugment (Park et al., 2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import FRAME_MASKS, WIDEST_MASK, Recipe, mel_filters
from autoft_torch._sounds import sped, stretch, waves

Array = np.ndarray[Any, np.dtype[Any]]

WINDOW, HOP, BANDS = 512, 160, 64
STRIDE = 4
"""Frames of 10 ms in one frame of the output."""
MULTIPLE = 16
"""Frames of the output come in so many: every new length costs oneDNN the making of a kernel."""
QUIET = 20
"""Frames of silence that are left at either end of a recording."""


class Frames(nn.Module):
    """Samples (n, t), NaN behind the end, to features (n, frames, width), NaN behind the end."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("filters", torch.from_numpy(mel_filters(WINDOW, BANDS).copy()), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.bands, self.times, self.speed = FRAME_MASKS["none"]

    def follow(self, recipe: Recipe) -> None:
        self.bands, self.times, self.speed = FRAME_MASKS[recipe.augment]

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        return waves(arrays["audio"], arrays["length"], cropped=cropped)

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """One change of speed for the whole batch; masks are drawn where the frames are."""
        return sped(values, self.speed, draws)

    def heard(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Frames of 10 ms (n, t, bands), 0 outside; and where they begin and end (n,), without quiet ends."""
        ends = (values.isfinite().sum(1) // HOP).clamp(min=1)
        there = -(-int(ends.max()) // (MULTIPLE * STRIDE)) * MULTIPLE * STRIDE
        x = self._mels(values.nan_to_num(), there)
        x = self._level(x, within(there, ends))
        begins, ends = _sounding(x, ends)
        x = x * (within(there, ends) & ~within(there, begins))[..., None]
        return self._masked(x, ends) if self.training else x, begins, ends

    def told(self, x: torch.Tensor, begins: torch.Tensor, ends: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Frames of the output, NaN outside of frames of 10 ms. All batches of a feed give as many frames, however long
        their longest recording is."""
        inside = within(x.shape[1], -(-ends // STRIDE)) & ~within(x.shape[1], begins // STRIDE)
        x = x.masked_fill(~inside[..., None], torch.nan)
        whole = -(-(values.shape[1] // HOP + 1) // STRIDE)
        return F.pad(x, (0, 0, 0, whole - x.shape[1]), value=torch.nan)

    def _mels(self, waves: torch.Tensor, frames: int) -> torch.Tensor:
        """Logarithms of band energies (n, frames, bands); silence stands before and behind the recordings."""
        behind = (frames - 1) * HOP + WINDOW // 2 - waves.shape[1]  # a negative number cuts
        padded = F.pad(waves, (WINDOW // 2, behind))
        waves = torch.stft(padded, WINDOW, HOP, window=self.window, center=False, return_complex=True)
        power = waves.real.square() + waves.imag.square()  # a sum over two numbers takes four times as long
        return (torch.einsum("bf,nft->ntb", self.filters, power) + 1e-6).log()

    def _level(self, seen: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Each band with mean 0 and deviation 1 over the frames of its recording, and 0 behind the end."""
        kept, count = there[..., None].float(), there.sum(1).clamp(min=1)[:, None, None]
        mean = (seen * kept).sum(1, keepdim=True) / count
        deviation = (((seen - mean) * kept) ** 2).sum(1, keepdim=True).div(count).sqrt()
        return (seen - mean) / (deviation + 1e-2) * kept

    def _masked(self, seen: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        n, total, bands = seen.shape
        hidden = torch.zeros((n, total, bands), dtype=torch.bool, device=seen.device)
        for _ in range(self.bands):
            hidden |= stretch(_draws(n, seen.device), bands, bands, WIDEST_MASK[0])[:, None]
        for _ in range(self.times):
            hidden |= stretch(_draws(n, seen.device), total, frames, max(1, int(WIDEST_MASK[1] * total)))[..., None]
        return seen.masked_fill(hidden, 0.0)


def _sounding(seen: torch.Tensor, ends: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where recordings begin and end (n,) without what is quiet at both ends: at least `QUIET` frames away from any
    that is as loud as the mean, which is 0 in every band.

    In training transcripts that all begin alike, the first word could be read off the silence before it.
    """
    total = seen.shape[1]
    loud = (seen.mean(-1) > 0) & within(total, ends)
    first = loud.int().argmax(1)
    last = total - 1 - loud.flip(1).int().argmax(1)
    some = loud.any(1)
    begins = torch.where(some, (first - QUIET).clamp(min=0), torch.zeros_like(ends))
    return begins, torch.where(some, torch.minimum(last + 1 + QUIET, ends), ends)


def within(total: int, ends: torch.Tensor) -> torch.Tensor:
    """bool (n, total): which places stand before each end."""
    return torch.arange(total, device=ends.device)[None] < ends[:, None]


def taken(x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Rows of (n, total, width) at these places (n, count)."""
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[-1]))


def _draws(n: int, device: torch.device) -> torch.Tensor:
    """On the CPU, so that every device draws alike."""
    return torch.stack([torch.rand(n), torch.rand(n)]).to(device)
