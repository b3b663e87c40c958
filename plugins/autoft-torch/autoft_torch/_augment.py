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
from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F

from autoft.api import LIGHT

Policy = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

DRAWS = 7
"""Numbers that `light` draws for an image."""


def policy(word: str, size: int) -> Policy:
    """A function from uint8 images (n, 3, h, w) and a generator to images in 0..255, uint8 or float32."""
    if word == "none":
        return lambda images, generator: images
    if word == "light":
        return light
    return _each(word, size)


def fixed(word: str, size: int) -> Callable[[torch.Tensor, Sequence[int]], torch.Tensor]:
    """As `policy`, but each image is drawn from a seed of its own, whatever its neighbours are."""
    if word == "light":
        return lambda images, seeds: _lightly(
            images, torch.stack([torch.rand(DRAWS, generator=torch.Generator().manual_seed(s)) for s in seeds], 1)
        )
    chosen = policy(word, size)
    if word == "none":
        return lambda images, seeds: images

    def apply(images: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
        done = []
        with torch.random.fork_rng(devices=[]):
            for image, seed in zip(images, seeds, strict=True):
                torch.default_generator.manual_seed(seed)
                done.append(chosen(image[None], torch.Generator()))
        return torch.cat(done)

    return apply


def light(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One affine map and one change of colour per image; see the module's docstring."""
    return _lightly(images, torch.rand(DRAWS, len(images), generator=generator))


def _lightly(images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """`light` by draws in [0, 1) (DRAWS, n), made on the CPU so that every device draws alike."""
    n, left = len(images), iter(draws)

    def uniform(low: float, high: float) -> torch.Tensor:
        return (low + (high - low) * next(left)).to(images.device)

    angle = uniform(-LIGHT.turn, LIGHT.turn) * math.pi / 180
    zoom = uniform(*LIGHT.zoom)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    # grid_sample counts the side as 2.
    across, down = (uniform(-2 * LIGHT.shift, 2 * LIGHT.shift) for _ in range(2))
    rows = [torch.stack([cos, -sin, across], 1), torch.stack([sin, cos, down], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 3, *images.shape[2:]], align_corners=False)
    moved = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return recolour(moved, *(uniform(1 - LIGHT.colour, 1 + LIGHT.colour).view(n, 1, 1, 1) for _ in range(3)))


def recolour(
    images: torch.Tensor, brightness: torch.Tensor, contrast: torch.Tensor, saturation: torch.Tensor
) -> torch.Tensor:
    """Images in 0..255 with each of the three changed by a factor per image (n, 1, 1, 1)."""
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
