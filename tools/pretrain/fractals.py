"""Attractors of iterated function systems, as masks.

Method: Kataoka et al., "Pre-training without Natural Images" (2020); contractive maps are drawn by their singular
values after Anderson and Farrell, "Improving Fractal Pre-training" (2022), so that every system converges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
MAPS = 4


def systems(count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """`count` systems of 2 to 4 affine maps: matrices (n, 4, 2, 2), shifts (n, 4, 2), probabilities (n, 4)."""
    angles = rng.uniform(-np.pi, np.pi, (2, count, MAPS))
    large = rng.uniform(0.4, 0.9, (count, MAPS))
    small = large * rng.uniform(0.25, 1.0, (count, MAPS))
    stretch = np.zeros((count, MAPS, 2, 2))
    stretch[..., 0, 0] = large
    stretch[..., 1, 1] = small * rng.choice([-1.0, 1.0], (count, MAPS))
    matrices = _rotation(angles[0]) @ stretch @ _rotation(angles[1])
    shifts = rng.uniform(-1, 1, (count, MAPS, 2))
    chances = large * small + 0.02
    used = rng.integers(2, MAPS + 1, count)
    chances[np.arange(MAPS)[None] >= used[:, None]] = 0
    chances /= chances.sum(1, keepdims=True)
    return matrices.astype(np.float32), shifts.astype(np.float32), chances.astype(np.float32)


def _rotation(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)


def render(
    systems: tuple[Floats, Floats, Floats], side: int, rng: np.random.Generator, particles: int = 250, steps: int = 60
) -> NDArray[np.uint8]:
    """Masks (n, side, side): the chaos game with many particles per system at once, densities on a log scale."""
    matrices, shifts, chances = systems
    count = len(matrices)
    rows = np.arange(count)[:, None]
    limits = np.cumsum(chances, 1)
    points = np.zeros((count, particles, 2), np.float32)
    trail = np.empty((steps, count, particles, 2), np.float32)
    for step in range(-15, steps):
        draw = rng.random((count, particles, 1), np.float32)
        which = np.minimum((draw > limits[:, None, :]).sum(2), MAPS - 1)
        points = np.einsum("npij,npj->npi", matrices[rows, which], points) + shifts[rows, which]
        if step >= 0:
            trail[step] = points
    cloud = trail.transpose(1, 0, 2, 3).reshape(count, -1, 2)
    low, high = np.quantile(cloud[:, ::7], (0.01, 0.99), axis=1)
    span = np.maximum((high - low).max(1), 1e-3)[:, None, None]
    cells = ((cloud - ((low + high) / 2)[:, None]) / span * 0.9 + 0.5) * side
    return np.stack([_density(one, side) for one in cells])


def _density(cells: Floats, side: int) -> NDArray[np.uint8]:
    inside = ((cells >= 0) & (cells < side)).all(1)
    column, row = cells[inside].astype(np.int64).T
    counts = np.bincount(row * side + column, minlength=side * side).reshape(side, side)
    padded = np.pad(counts.astype(np.float32), 1)  # spread a little, so that thin attractors are lines and not dust
    near = padded[1:-1, :-2] + padded[1:-1, 2:] + padded[:-2, 1:-1] + padded[2:, 1:-1]
    shade = np.log1p(counts + 0.5 * near)
    top = max(float(np.quantile(shade, 0.98)), 1e-3)
    return (np.clip(shade / top * 1.4, 0, 1) * 255).astype(np.uint8)
