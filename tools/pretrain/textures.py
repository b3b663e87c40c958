"""Scalar fields of many kinds: the surfaces of objects and grounds before they are coloured.

Noise with a power spectrum and dead leaves follow Baradad et al., "Learning to See by Looking at Noise" (2021).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator
Maker = Callable[[int, Rng], Floats]


def _grid(side: int, rng: Rng) -> tuple[Floats, Floats]:
    """Coordinates in [-1, 1], turned by a random angle."""
    axis = np.linspace(-1, 1, side)
    x, y = np.meshgrid(axis, axis)
    angle = rng.uniform(0, np.pi)
    return x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)


def _spectrum(side: int, rng: Rng, power: float, ratio: float = 1.0) -> Floats:
    """Noise whose amplitude falls with frequency to the given power; `ratio` below 1 draws it out in one direction."""
    frequency = np.fft.fftfreq(side) * side
    fx, fy = np.meshgrid(frequency, frequency)
    angle = rng.uniform(0, np.pi)
    u, v = fx * np.cos(angle) - fy * np.sin(angle), fx * np.sin(angle) + fy * np.cos(angle)
    weight = np.maximum(np.hypot(u * ratio, v), 1.0) ** -power
    field: Floats = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) * weight).real
    return field


def _bend(side: int, rng: Rng) -> Floats:
    field = _spectrum(side, rng, 2.5)
    bent: Floats = field / field.std() * rng.uniform(0, 0.12)
    return bent


def _seeds(side: int, rng: Rng) -> tuple[Floats, NDArray[np.int64]]:
    """Sorted distances of each pixel to the two nearest of some random points, and which point is nearest."""
    axis = np.linspace(0, 1, side)
    points = rng.random((rng.integers(8, 60), 2))
    away = np.hypot(axis[None, None, :] - points[:, :1, None], axis[None, :, None] - points[:, 1:, None])
    return np.partition(away, 1, 0)[:2], away.argmin(0)


def cloud(side: int, rng: Rng) -> Floats:
    return _spectrum(side, rng, rng.uniform(1.4, 2.5))


def grain(side: int, rng: Rng) -> Floats:
    return _spectrum(side, rng, rng.uniform(0.2, 1.0))


def fibre(side: int, rng: Rng) -> Floats:
    return _spectrum(side, rng, rng.uniform(0.8, 1.6), rng.uniform(0.04, 0.15))


def blotch(side: int, rng: Rng) -> Floats:
    field = _spectrum(side, rng, rng.uniform(1.2, 2.0))
    sharp: Floats = np.tanh(field / field.std() * 5 + rng.uniform(-2, 2))
    return sharp


def ridge(side: int, rng: Rng) -> Floats:
    return -np.abs(_spectrum(side, rng, rng.uniform(1.3, 2.0)))


def grating(side: int, rng: Rng) -> Floats:
    return np.sin((_grid(side, rng)[0] + _bend(side, rng)) * np.pi * rng.uniform(3, 22))


def stripe(side: int, rng: Rng) -> Floats:
    sharp: Floats = np.tanh((grating(side, rng) + rng.uniform(-0.7, 0.7)) * 6)
    return sharp


def check(side: int, rng: Rng) -> Floats:
    (x, y), f = _grid(side, rng), np.pi * rng.uniform(3, 14, 2)
    wave: Floats = np.sin((x + _bend(side, rng)) * f[0]) * np.sin(y * f[1])
    return np.tanh(wave * 6)


def plaid(side: int, rng: Rng) -> Floats:
    return grating(side, rng) + grating(side, rng)


def mesh(side: int, rng: Rng) -> Floats:
    (x, y), f = _grid(side, rng), np.pi * rng.uniform(3, 12)
    sharp = rng.uniform(0.03, 0.2)
    return np.maximum(np.exp(-(np.sin(x * f) ** 2) / sharp), np.exp(-(np.sin(y * f) ** 2) / sharp))


def dots(side: int, rng: Rng) -> Floats:
    (x, y), f = _grid(side, rng), np.pi * rng.uniform(3, 12)
    return np.tanh((np.hypot(np.sin(x * f), np.sin(y * f)) - rng.uniform(0.4, 0.9)) * 8)


def brick(side: int, rng: Rng) -> Floats:
    (x, y), rows = _grid(side, rng), rng.uniform(3, 9)
    row = np.floor((y + 1) * rows)
    across = (x + 1) * rows / 2 + 0.5 * (row % 2)
    joint = np.minimum(np.abs((y + 1) * rows % 1 - 0.5) - 0.5, (np.abs(across % 1 - 0.5) - 0.5) * 2)
    tone: Floats = rng.random(4096)[((row * 61 + np.floor(across) * 17) % 4096).astype(np.int64)]
    return np.where(joint > -0.08, -1.0, tone)


def rings(side: int, rng: Rng) -> Floats:
    x, y = _grid(side, rng)
    centre = rng.uniform(-1, 1, 2)
    away: Floats = np.hypot(x - centre[0], y - centre[1]) + _bend(side, rng)
    return np.sin(away * np.pi * rng.uniform(4, 18))


def cells(side: int, rng: Rng) -> Floats:
    nearest: Floats = _seeds(side, rng)[0][0]
    return nearest


def cracks(side: int, rng: Rng) -> Floats:
    near = _seeds(side, rng)[0]
    gap: Floats = near[1] - near[0]
    return np.minimum(gap, rng.uniform(0.02, 0.08))


def mosaic(side: int, rng: Rng) -> Floats:
    which: NDArray[np.int64] = _seeds(side, rng)[1]
    return rng.random(64)[which]


def ramp(side: int, rng: Rng) -> Floats:
    return _grid(side, rng)[0] + _bend(side, rng)


def glow(side: int, rng: Rng) -> Floats:
    x, y = _grid(side, rng)
    return np.hypot(x - rng.uniform(-0.7, 0.7), (y - rng.uniform(-0.7, 0.7)) * rng.uniform(0.4, 1))


def leaves(side: int, rng: Rng) -> Floats:
    """Discs and boxes of all sizes, each over the ones before."""
    axis = np.linspace(0, 1, side)
    x, y = np.meshgrid(axis, axis)
    field = np.full((side, side), rng.random())
    box = rng.random() < 0.5
    for size in np.sort(0.03 / (1 - rng.random(90) * 0.93))[::-1]:
        a, b = rng.random(2)
        if box:
            inside = (np.abs(x - a) < size * rng.uniform(0.3, 1)) & (np.abs(y - b) < size * rng.uniform(0.3, 1))
        else:
            inside = np.hypot(x - a, y - b) < size
        field[inside] = rng.random()
    return field


def strata(side: int, rng: Rng) -> Floats:
    """Level bands with wavy borders, as ground, hills and sky."""
    height = np.linspace(0, 1, side)[:, None] + _bend(side, rng) * 0.6
    borders = np.sort(rng.random(rng.integers(2, 6)))
    return rng.random(8)[np.searchsorted(borders, height)] + 0.08 * grain(side, rng)


def pebbles(side: int, rng: Rng) -> Floats:
    """Domes side by side, lit from one side."""
    near, which = _seeds(side, rng)
    dome: Floats = np.sqrt(np.clip(1 - near[0] / np.maximum((near[0] + near[1]) / 2, 1e-6), 0, 1))
    lit: Floats = np.gradient(dome, axis=0) * rng.uniform(-8, 8) + np.gradient(dome, axis=1) * rng.uniform(-8, 8)
    tone: Floats = rng.random(64)[which]
    return dome + lit + 0.5 * tone


def foliage(side: int, rng: Rng) -> Floats:
    """Slim ovals in all directions, each over the ones before, each with a shade from end to end."""
    axis = np.linspace(0, 1, side)
    x, y = np.meshgrid(axis, axis)
    field = np.full((side, side), rng.random() * 0.3)
    size, slim = rng.uniform(0.05, 0.2), rng.uniform(0.2, 0.5)
    for a, b, angle, tone in rng.random((150, 4)) * [1, 1, np.pi, 1]:
        u = ((x - a) * np.cos(angle) + (y - b) * np.sin(angle)) / size
        v = ((y - b) * np.cos(angle) - (x - a) * np.sin(angle)) / (size * slim)
        inside = u**2 + v**2 < 1
        field[inside] = tone + 0.4 * u[inside] + 0.2 * np.abs(v[inside])
    return field


KINDS: tuple[Maker, ...] = (
    *(cloud, grain, fibre, blotch, ridge, grating, stripe, check, plaid, mesh, dots),
    *(brick, rings, cells, cracks, mosaic, ramp, glow, leaves, strata),
    *(pebbles, foliage),
)
#: Those that rise and fall slowly: by them a ground is cut into patches.
SMOOTH = [KINDS.index(kind) for kind in (cloud, blotch, mosaic, ramp, glow, leaves, strata)]


def bank(each: int, side: int, rng: Rng) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`each` fields of every kind (n, side, side), spread over 0 to 255, and their kinds (n,)."""
    fields = [_spread(kind(side, rng)) for kind in KINDS for _ in range(each)]
    return np.stack(fields), np.repeat(np.arange(len(KINDS)), each)


def _spread(field: Floats) -> NDArray[np.uint8]:
    low, high = np.quantile(field, (0.01, 0.99))
    return _bytes(np.clip((field - low) / max(high - low, 1e-6), 0, 1))


def _bytes(field: Floats) -> NDArray[np.uint8]:
    return np.asarray(field * 255, np.uint8)
