"""Closed contours as masks: filled, as outlines, or as several orbits.

Method: radial contours after Takashima et al., "Visual Atoms" (2023): a sum of sine waves over the angle moves points
on a circle. Polygons and stars are the same with another wave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WAVES = 4
#: Numbers that describe one contour: style, orbits, line width, squash, then corners, depth, and waves.
WIDTH = 6 + 3 * WAVES


def draw(count: int, rng: np.random.Generator) -> Floats:
    """Parameters of `count` contours, (n, WIDTH)."""
    style = rng.choice([0, 0, 1, 2], count)  # filled, one outline, several orbits
    orbits = rng.integers(2, 6, count)
    thickness = rng.uniform(0.04, 0.14, count)
    squash = rng.uniform(0.45, 1.0, count)
    corners = rng.choice([0, 0, 0, 3, 4, 4, 5, 6, 8], count)
    depth = rng.choice([0.0, 0.0, 0.25, 0.5], count)  # how far the sides of a polygon go in: 0 straight, more a star
    amplitudes = rng.dirichlet(np.ones(WAVES), count) * rng.uniform(0, 0.45, (count, 1))
    frequencies = rng.integers(1, 13, (count, WAVES))
    phases = rng.uniform(0, 2 * np.pi, (count, WAVES))
    head = np.stack([style, orbits, thickness, squash, corners, depth], 1)
    return np.concatenate([head, amplitudes, frequencies, phases], 1)


def vary(parameters: Floats, rng: np.random.Generator) -> Floats:
    """Siblings of the same category: other widths and depths, slightly other waves."""
    other = parameters.copy()
    count = len(other)
    other[:, 2] *= rng.uniform(0.7, 1.4, count)
    other[:, 3] = np.clip(other[:, 3] + rng.normal(0, 0.06, count), 0.4, 1)
    other[:, 6 : 6 + WAVES] *= rng.uniform(0.75, 1.25, (count, WAVES))
    other[:, 6 + 2 * WAVES :] += rng.normal(0, 0.2, (count, WAVES))
    return other


def render(parameters: Floats, side: int) -> NDArray[np.uint8]:
    """Masks (n, side, side)."""
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    x, y = np.meshgrid(axis, axis)
    return np.stack([_one(p, x, y) for p in parameters])


def _one(p: Floats, x: Floats, y: Floats) -> NDArray[np.uint8]:
    style, orbits, thickness, squash, corners, depth = p[:6]
    y = y / squash
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    waves = zip(p[6 : 6 + WAVES], p[6 + WAVES : 6 + 2 * WAVES], p[6 + 2 * WAVES :], strict=True)
    edge = 1 + sum(a * np.sin(np.round(f) * angle + phase) for a, f, phase in waves)
    if corners:
        sector = np.mod(angle + np.pi / 2, 2 * np.pi / corners) - np.pi / corners
        edge = edge * np.cos(np.pi / corners) / np.cos(sector) * (1 - depth * (1 - np.abs(sector) * corners / np.pi))
    edge = edge / max(float(edge.max()), 1e-3) * 0.92
    soft = 2.0 / len(x)
    if style == 0:
        mask = (edge - distance) / soft + 0.5
    else:
        scales = np.linspace(1, 0.25, int(orbits)) if style == 2 else np.ones(1)
        width = thickness * (0.5 if style == 2 else 1)
        mask = np.max([(width - np.abs(edge * s - distance)) / soft + 0.5 for s in scales], 0)
    return np.asarray(np.clip(mask, 0, 1) * 255, np.uint8)
