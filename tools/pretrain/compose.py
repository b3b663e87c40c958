"""Puts textured, lit shapes over textured grounds, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from tools.pretrain import colours

LAYERS = 4
#: Side of the composites, and how much coarser the map of layers is.
SIDE = 80
COARSE = 2


@dataclass(frozen=True)
class Stock:
    """What pictures are made of: masks (categories, variants, h, w) and fields (n, h, w) as bytes, kinds (n,)."""

    masks: Tensor
    fields: Tensor
    kinds: Tensor

    @classmethod
    def of(cls, masks: NDArray[np.uint8], fields: NDArray[np.uint8], kinds: NDArray[np.int64]) -> Stock:
        return cls(torch.from_numpy(masks), torch.from_numpy(fields), torch.from_numpy(kinds))


@dataclass(frozen=True)
class Batch:
    """Composites as bytes (n, 3, SIDE, SIDE); which layer is on top (n, SIDE / COARSE, ...), 0 being the ground;
    and of each layer the category (ground: -1) and the kind of surface, (n, LAYERS + 1)."""

    images: Tensor
    tops: Tensor
    categories: Tensor
    kinds: Tensor


def affine(scale: Tensor, angle: Tensor, shift: Tensor, squash: Tensor) -> Tensor:
    """Matrices (n, 2, 3) for `affine_grid` that show a thing at `scale` of the side, turned, and moved by `shift`."""
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    turn = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin / squash, cos / squash], -1)], -2)
    return torch.cat([turn, -(turn @ shift[..., None])], -1)


def compose(count: int, stock: Stock, random: torch.Generator) -> Batch:
    """`count` composites of 0 to LAYERS shapes."""
    ground, kind = _surface(count, stock, random)
    image = ground
    tops = torch.zeros(count, 1, SIDE, SIDE)
    categories, kinds = [torch.full((count,), -1)], [kind]
    shown = _shown(count, random)
    for layer in range(LAYERS):
        category = torch.randint(0, len(stock.masks), (count,), generator=random)
        mask = _mask(category, stock, random) * shown[:, layer, None, None, None]
        surface, kind = _surface(count, stock, random)
        image = _over(image, surface, mask, random)
        tops = torch.where(mask > 0.4, float(layer + 1), tops)
        categories.append(category)
        kinds.append(kind)
    image = _weather(image, random)
    coarse = tops[:, 0, ::COARSE, ::COARSE].to(torch.uint8)
    pixels = (image.clamp(0, 1) * 255).to(torch.uint8)
    return Batch(pixels, coarse, torch.stack(categories, 1).to(torch.int16), torch.stack(kinds, 1).to(torch.uint8))


def _shown(count: int, random: torch.Generator) -> Tensor:
    """Which layers there are: none in one picture of 16, else one to all with equal chance."""
    number = torch.randint(1, LAYERS + 1, (count, 1), generator=random)
    number[torch.rand((count, 1), generator=random) < 1 / 16] = 0
    return (torch.arange(LAYERS)[None] < number).float()


def _uniform(low: float, high: float, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=random)


def _sample(pictures: Tensor, matrices: Tensor, padding: str) -> Tensor:
    grid = F.affine_grid(matrices, [len(pictures), 1, SIDE, SIDE], align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode=padding, align_corners=False)


def _surface(count: int, stock: Stock, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Coloured surfaces (n, 3, SIDE, SIDE) and their kinds."""
    which = torch.randint(0, len(stock.fields), (count,), generator=random)
    scale = torch.exp2(_uniform(0.0, 2.0, (count,), random))
    angle = _uniform(-0.4, 0.4, (count,), random)
    shift = _uniform(-1.0, 1.0, (count, 2), random)
    squash = _uniform(0.6, 1.0, (count,), random)
    field = _sample(stock.fields[which, None].float() / 255, affine(scale, angle, shift, squash), "reflection")
    contrast = _uniform(0.15, 1.0, (count, 1, 1, 1), random)
    offset = _uniform(0.0, 1.0, (count, 1, 1, 1), random) * (1 - contrast)
    return colours.paint(field * contrast + offset, colours.palettes(count, random)), stock.kinds[which]


def _mask(category: Tensor, stock: Stock, random: torch.Generator) -> Tensor:
    count = len(category)
    variant = torch.randint(0, stock.masks.shape[1], (count,), generator=random)
    scale = _uniform(0.25, 1.0, (count,), random)
    angle = torch.randn(count, generator=random) * 0.3
    shift = _uniform(-0.75, 0.75, (count, 2), random) * (1.25 - scale)[:, None]
    squash = _uniform(0.7, 1.0, (count,), random)
    matrices = affine(scale, angle, shift, squash)
    mirror = torch.rand(count, generator=random) < 0.3
    matrices[:, 0] = torch.where(mirror[:, None], -matrices[:, 0], matrices[:, 0])
    return _sample(stock.masks[category, variant][:, None].float() / 255, matrices, "zeros")


def _over(image: Tensor, surface: Tensor, mask: Tensor, random: torch.Generator) -> Tensor:
    """`surface` where the mask is, rounded by light from one side, with a shadow on what lies below."""
    count = len(mask)
    blurred = F.avg_pool2d(mask, 7, 1, 3)
    light = _uniform(0, 6.28, (count,), random)
    slope_x, slope_y = F.pad(blurred.diff(dim=3), (0, 1)), F.pad(blurred.diff(dim=2), (0, 0, 0, 1))
    tilt = slope_x * torch.cos(light)[:, None, None, None] + slope_y * torch.sin(light)[:, None, None, None]
    depth = 5 * torch.rand((count, 1, 1, 1), generator=random) * (torch.rand((count, 1, 1, 1), generator=random) < 0.6)
    shadow = torch.rand((count, 1, 1, 1), generator=random) - 0.4
    below = image * (1 - shadow.clamp(min=0) * torch.roll(blurred, (3, 3), (2, 3)))
    opacity = mask * _uniform(0.75, 1.0, (count, 1, 1, 1), random)
    return torch.lerp(below, surface * (1 + depth * tilt), opacity)


def _weather(image: Tensor, random: torch.Generator) -> Tensor:
    """Uneven light over the whole picture."""
    count = len(image)
    coarse = torch.randn((count, 1, 3, 3), generator=random) * _uniform(0, 0.2, (count, 1, 1, 1), random)
    return image * (1 + F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=False))
