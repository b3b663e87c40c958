"""All shapes of the pretext as one array of masks, by category, each in a few variants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.pretrain import contours, fractals, strokes

#: Categories of each family: fractals, contours, strokes.
FAMILIES = (400, 250, 150)
CATEGORIES = sum(FAMILIES)
VARIANTS = 4


def bank(side: int, rng: np.random.Generator, families: tuple[int, int, int] = FAMILIES) -> NDArray[np.uint8]:
    """Masks (categories, VARIANTS, side, side), 0 to 255."""
    blocks = [_fractals(families[0], side, rng), _contours(families[1], side, rng), _strokes(families[2], side, rng)]
    return np.concatenate(blocks)


def family(category: NDArray[np.int64], families: tuple[int, int, int] = FAMILIES) -> NDArray[np.int64]:
    """The family of each category: 0, 1 or 2."""
    return np.searchsorted(np.cumsum(families), category, side="right")


def _fractals(count: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    matrices, shifts, chances = fractals.systems(count, rng)
    masks = []
    for number in range(VARIANTS):
        wobble = 1 + 0.06 * (number > 0) * rng.normal(size=matrices.shape)
        masks.append(fractals.render(((matrices * wobble).astype(np.float32), shifts, chances), side, rng))
    return np.stack(masks, 1)


def _contours(count: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    drawn = contours.draw(count, rng)
    return np.stack([contours.render(contours.vary(drawn, rng), side) for _ in range(VARIANTS)], 1)


def _strokes(count: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    drawn = strokes.draw(count, rng)
    return np.stack([strokes.render(strokes.vary(drawn, rng), side, rng) for _ in range(VARIANTS)], 1)
