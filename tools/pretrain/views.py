"""Two random looks at one composite, and what can be told about a look: layers, layout of edges, colours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from tools.pretrain.compose import LAYERS, Batch

#: Pixels / 255, minus MEAN, over STD: the same for every channel. Goes on the card of the shipped network.
MEAN, STD = 0.5, 0.25
STRIDE = 8
ANGLES, CELLS = 8, 4
GRAY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class View:
    """Normalised images (n, 3, s, s); the layer of each cell (n, s / 8, s / 8); the layers' share of the picture
    (n, LAYERS + 1); the layout of edges (n, ANGLES * CELLS ** 2); mean and spread of the quarters (n, 24).
    """

    images: Tensor
    tops: Tensor
    shares: Tensor
    edges: Tensor
    colours: Tensor


def look(batch: Batch, side: int, smallest: float, random: torch.Generator) -> View:
    """A crop of `smallest` to all of the composite's side, mirrored at times, with other colours, blur and noise."""
    count = len(batch.images)
    matrices = _crops(count, smallest, random)
    grid = F.affine_grid(matrices, [count, 1, side, side], align_corners=False)
    clean = F.grid_sample(batch.images.float() / 255, grid, padding_mode="reflection", align_corners=False)
    tops = _tops(batch.tops, matrices, side)
    shares = F.one_hot(tops.flatten(1).long(), LAYERS + 1).float().mean(1)
    seen = _colour(clean, random)
    images = (_degrade(seen, random) - MEAN) / STD
    coarse = tops[:, STRIDE // 4 :: STRIDE // 2, STRIDE // 4 :: STRIDE // 2]
    return View(images, coarse.long(), shares, layout(seen), _quarters(seen))


def plain(batch: Batch, side: int) -> Tensor:
    """Whole composites at `side` as the network sees photos: resized and normalised alone."""
    small = F.interpolate(batch.images.float() / 255, size=(side, side), mode="bilinear", antialias=True)
    return (small - MEAN) / STD


def layout(images: Tensor) -> Tensor:
    """Histograms of edge orientation in CELLS x CELLS cells, weighted by strength, square-rooted.

    After Dalal and Triggs, "Histograms of Oriented Gradients" (2005); as a target of learning, Wei et al.,
    "Masked Feature Prediction" (2022).
    """
    gray = (images * torch.tensor(GRAY)[:, None, None]).sum(1)
    dx, dy = gray[:, 1:-1, 2:] - gray[:, 1:-1, :-2], gray[:, 2:, 1:-1] - gray[:, :-2, 1:-1]
    strength = torch.hypot(dx, dy)
    place = (torch.atan2(dy, dx) % torch.pi) / torch.pi * ANGLES
    away = [((place - k + ANGLES / 2) % ANGLES - ANGLES / 2).abs() for k in range(ANGLES)]
    bins = [strength * (1 - distance).clamp(min=0) for distance in away]
    pooled = F.adaptive_avg_pool2d(torch.stack(bins, 1), CELLS).flatten(1)
    return torch.sqrt(pooled / (pooled.mean(1, keepdim=True) + 0.003))


def _quarters(images: Tensor) -> Tensor:
    mean = F.adaptive_avg_pool2d(images, 2)
    spread = (F.adaptive_avg_pool2d(images**2, 2) - mean**2).clamp(min=0).sqrt()
    return torch.cat([(mean - MEAN) / STD, spread / STD], 1).flatten(1)


def _rand(count: int, low: float, high: float, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand((count, 1, 1, 1), generator=random)


def _chance(count: int, share: float, random: torch.Generator) -> Tensor:
    return torch.rand((count, 1, 1, 1), generator=random) < share


def _crops(count: int, smallest: float, random: torch.Generator) -> Tensor:
    size = smallest + (1 - smallest) * torch.rand(count, 1, generator=random)
    aspect = torch.exp(0.25 * (torch.rand(count, 1, generator=random) - 0.5))
    extent = (size * torch.cat([aspect, 1 / aspect], 1)).clamp(max=1)
    middle = (1 - extent) * (2 * torch.rand(count, 2, generator=random) - 1)
    sign = torch.where(torch.rand(count, generator=random) < 0.5, -1.0, 1.0)
    matrices = torch.zeros(count, 2, 3)
    matrices[:, 0, 0], matrices[:, 1, 1] = extent[:, 0] * sign, extent[:, 1]
    shear = 0.1 * torch.randn(count, 2, generator=random)
    matrices[:, 0, 1], matrices[:, 1, 0] = shear[:, 0], shear[:, 1]
    matrices[:, :, 2] = middle
    return matrices


def _tops(tops: Tensor, matrices: Tensor, side: int) -> Tensor:
    """The layer at every second pixel of a view."""
    half = side // 2
    grid = F.affine_grid(matrices, [len(tops), 1, half, half], align_corners=False)
    picked = F.grid_sample(tops[:, None].float(), grid, mode="nearest", padding_mode="reflection", align_corners=False)
    return picked[:, 0].to(torch.uint8)


def _colour(images: Tensor, random: torch.Generator) -> Tensor:
    """Another brightness, contrast, saturation and tint; at times gray or inverted."""
    n = len(images)
    gray = (images * torch.tensor(GRAY)[:, None, None]).sum(1, keepdim=True)
    keep = torch.where(_chance(n, 0.15, random), 0.0, _rand(n, 0.4, 1.6, random))
    tint = 1 + 0.15 * torch.randn((n, 3, 1, 1), generator=random) * (keep > 0)
    spread = gray.flatten(1).std(1)[:, None, None, None]
    contrast = (_rand(n, 0.1, 0.3, random) / (spread + 0.02)).clamp(0.5, 4)  # faint pictures teach little
    tinted = (gray + keep * (images - gray)) * tint
    level = tinted.mean((2, 3), keepdim=True)
    wanted = torch.lerp(level, torch.full_like(level, 0.5), _rand(n, 0, 0.7, random))
    shown = (tinted - level) * contrast + wanted + _rand(n, -0.15, 0.15, random)
    shown = shown.clamp(0, 1)
    return torch.where(_chance(n, 0.1, random), 1 - shown, shown)


def _degrade(images: Tensor, random: torch.Generator) -> Tensor:
    """Blur by sampling down and up, and noise."""
    n, side = len(images), images.shape[-1]
    small = F.avg_pool2d(images, 2)
    soft = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    blurred = torch.lerp(images, soft, _rand(n, 0, 1, random) * _chance(n, 0.4, random))
    noise = _rand(n, 0, 0.08, random) * _chance(n, 0.4, random)
    return blurred + noise * torch.randn(images.shape, generator=random)
