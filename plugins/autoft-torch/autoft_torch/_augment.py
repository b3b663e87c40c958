"""Augmentation of image batches. Policies, by word:

none     images as they are.
light    each image turned by up to 10 degrees, zoomed by 0.85 to 1.1, shifted by up to 6 % of its side, and changed
         a little in brightness, contrast and saturation. No flips: digits, letters and hand signs are another thing
         when mirrored. Plain torch on the whole batch, so that a worker need not import torchvision (4 s).
trivial  a horizontal flip half of the time, then TrivialAugment (Müller & Hutter, 2021): one random operation of
         random strength.
strong   a random crop of 40 to 100 % of the area, a horizontal flip half of the time, RandAugment (Cubuk et al.,
         2020) of two operations, and a random patch erased a quarter of the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

Policy = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

TURN = 10.0
ZOOM = (0.85, 1.1)
SHIFT = 0.06
COLOUR = 0.2


def policy(word: str, size: int) -> Policy:
    """A function from uint8 images (n, 3, h, w) and a generator to images in 0..255, uint8 or float32."""
    if word == "none":
        return lambda images, generator: images
    if word == "light":
        return light
    return _each(word, size)


def light(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One affine map and one change of colour per image; see the module's docstring."""
    n = len(images)

    def uniform(low: float, high: float) -> torch.Tensor:
        draws = torch.rand(n, generator=generator)  # on the CPU, so that every device draws alike
        return (low + (high - low) * draws).to(images.device)

    angle = uniform(-TURN, TURN) * math.pi / 180
    zoom = uniform(*ZOOM)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    # grid_sample counts the side as 2.
    across, down = (uniform(-2 * SHIFT, 2 * SHIFT) for _ in range(2))
    rows = [torch.stack([cos, -sin, across], 1), torch.stack([sin, cos, down], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 3, *images.shape[2:]], align_corners=False)
    moved = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _colours(moved, *(uniform(1 - COLOUR, 1 + COLOUR).view(n, 1, 1, 1) for _ in range(3)))


def _colours(
    images: torch.Tensor, brightness: torch.Tensor, contrast: torch.Tensor, saturation: torch.Tensor
) -> torch.Tensor:
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * saturation
    middle = grey.mean((2, 3), keepdim=True)
    return ((images - middle) * contrast + middle * brightness).clamp_(0, 255)


def _each(word: str, size: int) -> Policy:
    """A torchvision policy, drawn for every image by itself. Its draws come from torch's global generator."""
    from torchvision.transforms import v2

    if word == "trivial":
        chain = v2.Compose([v2.RandomHorizontalFlip(), v2.TrivialAugmentWide()])
    else:
        crop = v2.RandomResizedCrop(size, scale=(0.4, 1.0), antialias=True)
        chain = v2.Compose([crop, v2.RandomHorizontalFlip(), v2.RandAugment(), v2.RandomErasing(p=0.25)])

    def apply(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return torch.stack([chain(image) for image in images])

    return apply
