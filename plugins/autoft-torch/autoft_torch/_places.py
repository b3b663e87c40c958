"""Augmentation that moves boxes and masks with the image, as far as `autoft.policies` says."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from autoft.api import GREY, LEAST_LEFT, MOVES
from autoft.vocab import UNTAUGHT
from autoft_torch._augment import recolour

Targets = dict[str, torch.Tensor]


def move(word: str, images: torch.Tensor, targets: Targets, draws: torch.Generator) -> tuple[torch.Tensor, Targets]:
    """Images (n, 3, h, w) in 0..255, and with them the targets that are places: `boxes` (n, m, 4 or more) in fractions,
    and `mask` (n, h, w), int64, -1 where there is no class, which is also what is seen beyond the image's edge."""
    if word not in MOVES:
        return images, targets
    reach, n = MOVES[word], len(images)
    left = iter(torch.rand(8, n, generator=draws))

    def spread(most: float) -> torch.Tensor:
        """Around 1, as often below as above, on a logarithmic scale."""
        return torch.exp((2 * next(left) - 1) * math.log(most))

    zoom, stretch = spread(reach.zoom), spread(reach.stretch) ** 0.5
    across, down = 1 / (zoom * stretch), stretch / zoom
    middle = torch.stack([0.5 + reach.shift * (2 * next(left) - 1) for _ in range(2)])
    mirrored = torch.where(next(left) < 0.5, -1.0, 1.0) if reach.flip or "boxes" not in targets else torch.ones(n)
    colours = [1 + reach.colour * (2 * next(left) - 1) for _ in range(3)]
    scale = torch.stack([across * mirrored, down]).T  # of the input, for one of the output
    middle = middle.T
    # grid_sample counts the side as 2, from -1 to 1.
    rows = torch.zeros(n, 2, 3)
    rows[:, 0, 0], rows[:, 1, 1], rows[:, :, 2] = scale[:, 0], scale[:, 1], 2 * middle - 1
    grid = F.affine_grid(rows.to(images.device), list(images.shape), align_corners=False)
    moved = dict(targets)
    if "boxes" in targets:
        moved["boxes"] = _boxes(targets["boxes"], scale, middle)
    if "mask" in targets:
        # Counted from 0, so that the zeros of what lies outside become -1.
        mask = (targets["mask"] + 1).float()[:, None]
        moved["mask"] = _sampled(mask, grid, "nearest")[:, 0].long() - 1
    shown = _sampled(images.float() - GREY, grid, "bilinear") + GREY
    return recolour(shown, *(value.to(images.device).view(-1, 1, 1, 1) for value in colours)), moved


def _sampled(values: torch.Tensor, grid: torch.Tensor, mode: str) -> torch.Tensor:
    return F.grid_sample(values, grid, mode=mode, padding_mode="zeros", align_corners=False)


def _boxes(boxes: torch.Tensor, scale: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
    """The same map, the other way round; clipped, -1 where nothing is left, not taught where too little is."""
    scale, middle = (value.to(boxes.device)[:, None] for value in (scale, middle))
    ends = torch.stack([(boxes[..., k : k + 2] - middle) / scale + 0.5 for k in (0, 2)])
    low, high = ends.amin(0), ends.amax(0)
    inside = torch.cat([low.clamp(0, 1), high.clamp(0, 1)], -1)
    little = _area(inside) < LEAST_LEFT * _area(torch.cat([low, high], -1))
    code = boxes[..., 4:5]
    code = torch.where(little[..., None] & (code >= 0), UNTAUGHT - code, code)
    moved = torch.cat([inside, code, boxes[..., 5:]], -1)
    seen = real(boxes) & real(inside)
    return torch.where(seen[..., None], moved, torch.full_like(moved, -1))


def real(boxes: torch.Tensor) -> torch.Tensor:
    """Which rows hold a box."""
    return (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])


def hide(images: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Images in 0..255, grey where boxes are not taught, for networks that compare with boxes themselves: what they are
    not told of they learn to miss. What lies in another box as well stays."""
    if "boxes" not in targets:
        return images
    boxes = targets["boxes"].to(images.device)
    unknown = real(boxes) & (boxes[..., 4] < 0)
    if not bool(unknown.any()):
        return images
    height, width = images.shape[-2:]
    hidden = _covered(boxes, unknown, height, width) & ~_covered(boxes, real(boxes) & ~unknown, height, width)
    return torch.where(hidden[:, None], torch.full_like(images, GREY), images)


def _covered(boxes: torch.Tensor, which: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Whether the middle of a pixel lies in any of those boxes: (n, height, width)."""

    def within(low: torch.Tensor, high: torch.Tensor, count: int) -> torch.Tensor:
        middles = (torch.arange(count, device=boxes.device) + 0.5) / count
        return ((middles >= low[..., None]) & (middles < high[..., None])).float()

    down = within(boxes[..., 1], boxes[..., 3], height) * which[..., None]
    return torch.einsum("nmy,nmx->nyx", down, within(boxes[..., 0], boxes[..., 2], width)) > 0


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
