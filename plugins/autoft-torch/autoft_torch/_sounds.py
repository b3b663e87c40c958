"""Augmentation of recordings that are seen as pictures, as far as `autoft.policies` says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from autoft.api import COVERS, Cover
from autoft_torch._augment import Policy

Array = np.ndarray[Any, np.dtype[Any]]


CLEAN = 40.0
"""Decibels by which a recording is louder than its noise, where that is hardly heard."""
DRAWS = 10
"""Numbers that a policy draws for a picture, at most."""


def policy(word: str, size: int) -> Policy:
    """A function from uint8 pictures (n, 3, h, w) and a generator to pictures in 0..255, uint8 or float32."""
    if word == "none":
        return lambda pictures, generator: pictures
    how = COVERS[word]

    def apply(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        draws = torch.rand(DRAWS, len(pictures), generator=generator)
        # Drawn once for the batch and moved along with each picture: one table of numbers is enough for all.
        return _changed(pictures, draws, how, _table(pictures, [generator], how))

    return apply


def fixed(word: str, size: int) -> Callable[[torch.Tensor, Sequence[int]], torch.Tensor]:
    """As `policy`, but each picture is drawn from a seed of its own, whatever its neighbours are."""
    if word == "none":
        return lambda pictures, seeds: pictures

    def apply(pictures: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
        own = [torch.Generator().manual_seed(seed) for seed in seeds]
        draws = [torch.rand(DRAWS, generator=generator) for generator in own]
        return _changed(pictures, torch.stack(draws, 1), COVERS[word], _table(pictures, own, COVERS[word]))

    return apply


def _table(pictures: torch.Tensor, own: Sequence[torch.Generator], how: Cover) -> torch.Tensor:
    """Noise (tables, h, w) in -.5 to .5: one table for each generator."""
    if not how.noise:
        return pictures.new_zeros((1, *pictures.shape[2:]), dtype=torch.float32)
    return torch.stack([torch.rand(pictures.shape[2:], generator=one) for one in own]).to(pictures.device) - 0.5


def _changed(pictures: torch.Tensor, draws: torch.Tensor, how: Cover, table: torch.Tensor) -> torch.Tensor:
    n, _, height, width = pictures.shape
    draws = draws.to(pictures.device)
    rows = torch.arange(height, device=pictures.device)[None] + _shift(draws[0], how.up * height)
    columns = torch.arange(width, device=pictures.device)[None] + _shift(draws[1], how.across * width)
    inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
    for number in range(how.covers):
        first = 2 + 4 * number
        inside &= ~stretch(draws[first : first + 2], height, height, how.widest * height)[:, :, None]
        inside &= ~stretch(draws[first + 2 : first + 4], width, width, how.widest * width)[:, None, :]
    samples = torch.arange(n, device=pictures.device)[:, None, None]
    grey = pictures[:, 0].float()[samples, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]]
    grey = grey * inside
    if how.noise:
        noise = table[samples % len(table), (rows % height)[:, :, None], (columns % width)[:, None]]
        grey = (grey + 255 * how.noise * noise).clamp(0, 255)
    return grey[:, None].expand(n, 3, height, width)


def waves(audio: Array, lengths: Array, *, cropped: bool) -> torch.Tensor:
    """Samples int16 (n, t) as float32 in -1..1, NaN behind the end. `cropped` leaves out what is behind all ends."""
    most = int(lengths.max(initial=1)) if cropped else audio.shape[1]
    found = audio[:, :most].astype(np.float32) / 32768
    found[np.arange(most)[None] >= lengths[:, None]] = np.nan
    return torch.from_numpy(found)


def sped(values: torch.Tensor, most: float, draws: torch.Generator) -> torch.Tensor:
    """Waves that are NaN behind the end, all faster or slower by the same factor, drawn up to `most` from 1."""
    if not most:
        return values
    factor = 1 + most * (2 * float(torch.rand((), generator=draws)) - 1)
    whole = F.interpolate(values.nan_to_num()[:, None], scale_factor=factor, mode="linear")[:, 0]
    ends = (values.isfinite().sum(1) * factor).long().clamp(max=whole.shape[1])
    gone = torch.arange(whole.shape[1], device=values.device)[None] >= ends[:, None]
    return whole.masked_fill(gone, torch.nan)


def noisy(values: torch.Tensor, least: float, draws: torch.Generator) -> torch.Tensor:
    """Waves that are NaN behind the end, with white noise at a ratio to each of them that is drawn between `least` and
    `CLEAN` decibels."""
    known = values.nan_to_num()
    count = values.isfinite().sum(1, keepdim=True).clamp(min=1)
    ratio = least + (CLEAN - least) * torch.rand((len(values), 1), generator=draws)
    noise = torch.randn(values.shape, generator=draws).to(values.device)
    loud = (known.square().sum(1, keepdim=True) / count).sqrt()
    return values + noise * loud * (10 ** (-ratio / 20)).to(values.device)


def _shift(draw: torch.Tensor, most: float) -> torch.Tensor:
    return ((2 * draw - 1) * most).round().long()[:, None]


def _within(places: torch.Tensor, most: int) -> torch.Tensor:
    return (places >= 0) & (places < most)


def stretch(draws: torch.Tensor, total: int, ends: torch.Tensor | int, widest: float) -> torch.Tensor:
    """bool (n, total): one stretch for each sample, of random width and place before its end.

    Args:
        draws: in [0, 1), (2, n).
        ends: of the samples (n,), or of all.
    """
    wide = draws[0] * widest
    first = draws[1] * (ends - wide).clamp(min=0)
    places = torch.arange(total, device=draws.device)[None]
    return (places >= first[:, None]) & (places < (first + wide)[:, None])
