"""Puts textured, lit shapes over textured grounds, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from tools.pretrain import colours, textures

#: Layers over the ground: first patches of other ground, then shapes.
PATCHES = 2
SHAPES = 4
LAYERS = PATCHES + SHAPES
#: Side of the composites, and how much coarser the map of layers is.
SIDE = 80
COARSE = 2
#: How often what lies below a layer is out of focus.
BLURRED = 0.12


@dataclass(frozen=True)
class Stock:
    """What pictures are made of: masks (categories, variants, h, w) and fields (n, h, w) as bytes, kinds (n,);
    and which fields are smooth enough to cut patches by (m,)."""

    masks: Tensor
    fields: Tensor
    kinds: Tensor
    smooth: Tensor

    @classmethod
    def of(cls, masks: NDArray[np.uint8], fields: NDArray[np.uint8], kinds: NDArray[np.int64]) -> Stock:
        smooth = np.flatnonzero(np.isin(kinds, textures.SMOOTH))
        return cls(*(torch.from_numpy(a) for a in (masks, fields, kinds, smooth)))


@dataclass(frozen=True)
class Batch:
    """Composites as bytes (n, 3, SIDE, SIDE); which layer is on top (n, SIDE / COARSE, ...), 0 being the ground;
    and of each layer the category (-1 where there is no shape) and the kind of surface, (n, LAYERS + 1)."""

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
    """`count` composites: a ground, up to PATCHES patches of other ground, and 0 to SHAPES shapes."""
    image, kind = _surface(count, stock, random)
    tops = torch.zeros(count, 1, SIDE, SIDE)
    categories = torch.full((count, LAYERS + 1), -1)
    kinds = torch.zeros((count, LAYERS + 1), dtype=torch.long)
    kinds[:, 0] = kind
    shown = _shown(count, random)
    light = _uniform(0, 6.28, (count,), random)
    for layer in range(LAYERS):
        rows = shown[:, layer].nonzero()[:, 0]
        if not len(rows):
            continue
        if layer < PATCHES:
            mask = _patch(len(rows), stock, random)
        else:
            categories[rows, layer + 1] = torch.randint(0, len(stock.masks), (len(rows),), generator=random)
            mask = _mask(categories[rows, layer + 1], stock, random)
        surface, kinds[rows, layer + 1] = _surface(len(rows), stock, random)
        image[rows] = _over(_unfocused(image[rows], random), surface, mask, light[rows], random)
        tops[rows] = torch.where(mask > 0.4, float(layer + 1), tops[rows])
    image = _weather(image, random)
    coarse = tops[:, 0, ::COARSE, ::COARSE].to(torch.uint8)
    pixels = (image.clamp(0, 1) * 255).to(torch.uint8)
    return Batch(pixels, coarse, categories.to(torch.int16), kinds.to(torch.uint8))


def _shown(count: int, random: torch.Generator) -> Tensor:
    """Which layers there are: each patch with chance 0.4; no shape in one picture of 16, else one to all alike."""
    patches = torch.rand((count, PATCHES), generator=random) < 0.4
    number = torch.randint(1, SHAPES + 1, (count, 1), generator=random)
    number[torch.rand((count, 1), generator=random) < 1 / 16] = 0
    return torch.cat([patches, torch.arange(SHAPES)[None] < number], 1)


def _uniform(low: float, high: float, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=random)


def _sample(pictures: Tensor, matrices: Tensor, padding: str, lean: Tensor | None = None) -> Tensor:
    """Pictures as placed by `affine`; `lean` (n, 2) tilts the plane away, so that far parts are smaller."""
    grid = F.affine_grid(matrices, [len(pictures), 1, SIDE, SIDE], align_corners=False)
    if lean is not None:
        axis = torch.linspace(-1, 1, SIDE)
        grid = grid / (1 + lean[:, :1, None] * axis + lean[:, 1:, None] * axis[:, None])[..., None]
    return F.grid_sample(pictures, grid, padding_mode=padding, align_corners=False)


def _field(which: Tensor, stock: Stock, random: torch.Generator) -> Tensor:
    """Fields (n, 1, SIDE, SIDE) in [0, 1], magnified, turned, moved, and two in five seen at a slant."""
    count = len(which)
    scale = torch.exp2(_uniform(0.0, 2.0, (count,), random))
    angle = _uniform(-0.4, 0.4, (count,), random)
    shift = _uniform(-1.0, 1.0, (count, 2), random)
    squash = _uniform(0.6, 1.0, (count,), random)
    lean = _uniform(-0.4, 0.4, (count, 2), random) * (torch.rand((count, 1), generator=random) < 0.4)
    return _sample(stock.fields[which, None].float() / 255, affine(scale, angle, shift, squash), "reflection", lean)


def _surface(count: int, stock: Stock, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Coloured surfaces (n, 3, SIDE, SIDE) and their kinds; half of them are mottled by a second, faint field."""
    which, other = torch.randint(0, len(stock.fields), (2, count), generator=random)
    contrast = _uniform(0.15, 1.0, (count, 1, 1, 1), random)
    offset = _uniform(0.0, 1.0, (count, 1, 1, 1), random) * (1 - contrast)
    painted = colours.paint(_field(which, stock, random) * contrast + offset, colours.palettes(count, random))
    rows = (torch.rand(count, generator=random) < 0.5).nonzero()[:, 0]
    amount = _uniform(0.0, 0.7, (len(rows), 1, 1, 1), random)
    if len(rows):
        painted[rows] *= 1 + amount * (_field(other[rows], stock, random) - 0.5)
    return painted, stock.kinds[which]


def _patch(count: int, stock: Stock, random: torch.Generator) -> Tensor:
    """Where a smooth field is high: regions with borders of every kind, from hard to washed out."""
    which = stock.smooth[torch.randint(0, len(stock.smooth), (count,), generator=random)]
    limit = _uniform(0.35, 0.75, (count, 1, 1, 1), random)
    return torch.sigmoid((_field(which, stock, random) - limit) * torch.exp2(_uniform(3, 6, limit.shape, random)))


def _unfocused(image: Tensor, random: torch.Generator) -> Tensor:
    soft = F.avg_pool2d(image, 5, 1, 2, count_include_pad=False)
    return torch.where(torch.rand((len(image), 1, 1, 1), generator=random) < BLURRED, soft, image)


def _mask(category: Tensor, stock: Stock, random: torch.Generator) -> Tensor:
    count = len(category)
    variant = torch.randint(0, stock.masks.shape[1], (count,), generator=random)
    scale = torch.exp2(_uniform(-2.2, 0.2, (count,), random))  # as many small things as large ones
    angle = torch.randn(count, generator=random) * 0.3
    shift = _uniform(-0.75, 0.75, (count, 2), random) * (1.25 - scale)[:, None]
    squash = _uniform(0.7, 1.0, (count,), random)
    matrices = affine(scale, angle, shift, squash)
    mirror = torch.rand(count, generator=random) < 0.3
    matrices[:, 0] = torch.where(mirror[:, None], -matrices[:, 0], matrices[:, 0])
    return _sample(stock.masks[category, variant][:, None].float() / 255, matrices, "zeros")


def _over(image: Tensor, surface: Tensor, mask: Tensor, light: Tensor, random: torch.Generator) -> Tensor:
    """`surface` where the mask is, rounded by light from one side, with a shadow on what lies below."""
    count = len(mask)
    blurred = F.avg_pool2d(mask, 7, 1, 3)
    height = torch.where(torch.rand((count, 1, 1, 1), generator=random) < 0.5, blurred, _swollen(mask))
    slope_x, slope_y = F.pad(height.diff(dim=3), (0, 1)), F.pad(height.diff(dim=2), (0, 0, 0, 1))
    tilt = slope_x * torch.cos(light)[:, None, None, None] + slope_y * torch.sin(light)[:, None, None, None]
    depth = 6 * torch.rand((count, 1, 1, 1), generator=random) * (torch.rand((count, 1, 1, 1), generator=random) < 0.7)
    shadow = torch.rand((count, 1, 1, 1), generator=random) - 0.4
    below = image * (1 - shadow.clamp(min=0) * torch.roll(blurred, (3, 3), (2, 3)))
    opacity = mask * _uniform(0.75, 1.0, (count, 1, 1, 1), random)
    return torch.lerp(below, surface * (1 + depth * tilt), opacity)


def _swollen(mask: Tensor) -> Tensor:
    """Heights of a solid with this outline, highest far from the border, steep enough to be lit like a thin rim."""
    small = F.avg_pool2d(mask, 4)
    for _ in range(2):
        small = F.avg_pool2d(small, 5, 1, 2)
    return 2 * F.interpolate(small, size=(SIDE, SIDE), mode="bilinear", align_corners=False)


def _weather(image: Tensor, random: torch.Generator) -> Tensor:
    """Uneven light over the whole picture."""
    count = len(image)
    coarse = torch.randn((count, 1, 3, 3), generator=random) * _uniform(0, 0.2, (count, 1, 1, 1), random)
    return image * (1 + F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=False))
