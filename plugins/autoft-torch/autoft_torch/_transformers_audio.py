"""Trunks of Transformers for recordings: networks of the waveform, and networks of log-mel bands."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoModel

from autoft.api import ModelCard, Recipe, TrialFailed
from autoft_torch import _layers, _sounds, _weights
from autoft_torch._bands import HOP, MEAN, STD, AstBands, WhisperBands
from autoft_torch._framenorm import FrameNorm
from autoft_torch._letters import Spelling
from autoft_torch._transformers import configuration, loaded
from autoft_torch.encoders import CONVOLUTIONAL

# Of WavLM's own code, which hands torch masks of two types.
warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask and attn_mask")

Array = np.ndarray[Any, np.dtype[Any]]

#: Policy -> stretches of silence put into a recording, the largest change of speed, and the decibels by which it is
#: louder than the noise on it at least; 0 puts none on it.
CHANGES = {"none": (0, 0.0, 0.0), "light": (1, 0.05, 0.0), "trivial": (2, 0.1, 20.0), "strong": (4, 0.1, 10.0)}
WIDEST = 0.05
"""Of one stretch, in shares of the longest recording of a batch."""
QUIET = {"apply_spec_augment": False, "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0}
"""What the recipe decides in place of the checkpoint: `augment` changes recordings, and no layer is left out."""
LEFT_OUT = {"add_adapter": False, "decoder_layers": 0, "encoder_layerdrop": 0.0, "use_cache": False}


class Trunk(nn.Module):
    """Samples (n, t), NaN behind the end, to features: (n, frames, width), NaN behind the end, or (n, width)."""

    late = ""
    """How the names of arrays begin that come after all layers, though they are registered before them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        config: Any = net.config
        self.width = int(config.hidden_size)
        self.silences, self.speed, self.noise = CHANGES["none"]

    def groups(self) -> list[tuple[str, list[str]]]:
        return _layers.groups(self, self.late)

    def follow(self, recipe: Recipe) -> None:
        self.silences, self.speed, self.noise = CHANGES[recipe.augment]

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        return _sounds.waves(arrays["audio"], arrays["length"], cropped=cropped)

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        values = _sounds.sped(values, self.speed, draws)
        values = _sounds.noisy(values, self.noise, draws) if self.noise else values
        n, total = values.shape
        for _ in range(self.silences):
            drawn = torch.rand((2, n), generator=draws).to(values.device)
            gone = _sounds.stretch(drawn, total, values.isfinite().sum(1), WIDEST * total)
            values = torch.where(gone & values.isfinite(), 0.0, values)
        return values


class Waves(Trunk):
    """wav2vec 2.0 (Baevski et al., 2020) and its kin: each recording is heard as if it were alone in its batch."""

    def __init__(self, net: nn.Module, normalised: bool) -> None:
        super().__init__(net)
        config: Any = net.config
        self.normalised = normalised
        self.spelling: Spelling | None = None
        """What the checkpoint knows of letters; only when it is read."""
        self.steps = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
        self.field = 1
        """Samples that one frame needs."""
        for kernel, stride in reversed(self.steps):
            self.field = (self.field - 1) * stride + kernel
        if getattr(config, "do_stable_layer_norm", False):
            self.late = "net.encoder.layer_norm."
        self.norm = FrameNorm.within(net)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        ends = values.isfinite().sum(1).clamp(min=self.field)
        most, whole = int(ends.max()), max(self.field, values.shape[1])
        there = _within(most, ends)
        waves = F.pad(values, (0, whole - values.shape[1]))[:, :most].nan_to_num()
        if self.normalised:
            waves = _level(waves, there, ends)
        if self.norm is not None:
            self.norm.frames = self._frames(ends, layers=1)
        states = self.net(waves, attention_mask=there.long()).last_hidden_state
        states = states.masked_fill(~_within(states.shape[1], self._frames(ends))[..., None], torch.nan)
        # All batches of a feed give as many frames.
        left = int(self._frames(torch.tensor(whole))) - states.shape[1]
        return F.pad(states, (0, 0, 0, left), value=torch.nan) if left else states

    def _frames(self, samples: torch.Tensor, layers: int | None = None) -> torch.Tensor:
        """How many frames the first convolutions, or all of them, make of so many samples."""
        for kernel, stride in self.steps[:layers]:
            samples = (samples - kernel) // stride + 1
        return samples


class Bands(Trunk):
    """Whisper's encoder and the audio spectrogram transformer, which see a picture of one size."""

    def __init__(self, net: nn.Module, bands: WhisperBands | AstBands) -> None:
        super().__init__(net)
        self.bands = bands

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        ends = values.isfinite().sum(1).clamp(min=1)
        with torch.autocast(values.device.type, enabled=False):
            seen = self.bands(values.nan_to_num(), ends)
        found = self.net(seen)
        if isinstance(self.bands, AstBands):
            pooled: torch.Tensor = found.pooler_output
            return pooled
        states: torch.Tensor = found.last_hidden_state
        frames = -(-ends // (2 * HOP))  # the second convolution has a stride of 2
        return states.masked_fill(~_within(states.shape[1], frames)[..., None], torch.nan)


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    """From the configuration kept in the card: no file is opened, no remote code is run."""
    try:
        net = AutoModel.from_config(_configuration(card), trust_remote_code=False)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise TrialFailed(f"Transformers cannot build {card.name}: {error}") from error
    return _trunk(net, card), ()


def load(trunk: nn.Module, card: ModelCard, path: Path) -> None:
    """Weights of a folder, whatever head or decoder they were saved with.

    Raises:
        TrialFailed: they cannot be read, or some are missing or of another shape.
    """
    net, lost = loaded(AutoModel, _configuration(card), path)
    _layers.put(trunk, _trunk(net, card), [name.removeprefix("encoder.") for name in lost], path)
    if isinstance(trunk, Waves) and card.extra.get("letters"):
        trunk.spelling = Spelling.of(card.extra["letters"], _weights.read(path))


def _configuration(card: ModelCard) -> Any:
    config = configuration(card, None)
    for key, value in {**QUIET, **LEFT_OUT}.items():
        if hasattr(config, key):
            setattr(config, key, value)
    return config


def _trunk(net: Any, card: ModelCard) -> Trunk:
    config, processor = net.config, card.extra["processor"]
    if config.model_type in CONVOLUTIONAL:
        return Waves(net, bool(processor.get("do_normalize", True)))
    if config.model_type == "whisper":
        encoder = net.get_encoder()
        return Bands(encoder, WhisperBands(config.num_mel_bins, 2 * config.max_source_positions))
    mean, std = float(processor.get("mean", MEAN)), float(processor.get("std", STD))
    scaled = processor.get("do_normalize", True)
    return Bands(net, AstBands(config.num_mel_bins, config.max_length, mean if scaled else 0.0, std if scaled else 0.0))


def _level(waves: torch.Tensor, there: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Each with mean 0 and deviation 1 over its own samples, and 0 behind its end."""
    count = ends[:, None]
    mean = waves.sum(1, keepdim=True) / count
    centred = (waves - mean) * there
    return centred / ((centred**2).sum(1, keepdim=True) / count + 1e-7).sqrt()


def _within(total: int, ends: torch.Tensor) -> torch.Tensor:
    """bool (n, total): which places stand before each end."""
    return torch.arange(total, device=ends.device)[None] < ends[:, None]
