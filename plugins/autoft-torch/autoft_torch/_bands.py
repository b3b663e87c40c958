"""Log-mel bands as the feature extractors of Transformers make them, in torch: for whole batches, on any device."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank, window_function

from autoft_torch.encoders import RATE

WINDOW, HOP = 400, 160
MEAN, STD = -4.2677393, 4.5689974
"""Of the bands of AudioSet, where a folder does not say (Gong et al., 2021)."""


class WhisperBands(nn.Module):
    """Waves (n, t), 0 behind the end, to (n, bands, frames), as long as the encoder needs (Radford et al., 2022)."""

    def __init__(self, bands: int, frames: int) -> None:
        super().__init__()
        self.samples = frames * HOP
        filters = mel_filter_bank(WINDOW // 2 + 1, bands, 0.0, 8000.0, RATE, norm="slaney", mel_scale="slaney")
        self.register_buffer("filters", torch.from_numpy(filters.T).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)

    def forward(self, waves: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        whole = F.pad(waves, (0, self.samples - waves.shape[1]))  # a negative number cuts
        power = torch.stft(whole, WINDOW, HOP, window=self.window, return_complex=True)[..., :-1].abs() ** 2
        bands = (self.filters @ power).clamp(min=1e-10).log10()
        return (bands.maximum(bands.amax((1, 2), keepdim=True) - 8) + 4) / 4


class AstBands(nn.Module):
    """Waves (n, t), 0 behind the end, to (n, frames, bands), 0 before scaling where a recording has ended."""

    def __init__(self, bands: int, frames: int, mean: float, std: float) -> None:
        """`std` 0 leaves the bands as they are."""
        super().__init__()
        self.frames, self.mean, self.std = frames, mean, std
        options = {"norm": None, "mel_scale": "kaldi", "triangularize_in_mel_space": True}
        filters = mel_filter_bank(257, bands, 20, RATE // 2, RATE, **options)
        window = window_function(WINDOW, "hann", periodic=False)
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)
        self.register_buffer("window", torch.from_numpy(window).float(), persistent=False)

    def forward(self, waves: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        cut = waves[:, : (self.frames - 1) * HOP + WINDOW]
        pieces = F.pad(cut, (0, max(0, WINDOW - cut.shape[1]))).unfold(1, WINDOW, HOP)
        pieces = pieces - pieces.mean(-1, keepdim=True)
        before = torch.cat([pieces[..., :1], pieces[..., :-1]], -1)
        power = torch.fft.rfft((pieces - 0.97 * before) * self.window, 512).abs() ** 2
        bands = (power @ self.filters).clamp(min=1.192092955078125e-07).log()
        count = ((ends - WINDOW) // HOP + 1).clamp(min=1)
        there = torch.arange(bands.shape[1], device=waves.device)[None] < count[:, None]
        bands = F.pad(bands * there[..., None], (0, 0, 0, self.frames - bands.shape[1]))
        return (bands - self.mean) / (2 * self.std) if self.std else bands
