"""Which pixels shapes cover: neither half a pixel more all round, nor less."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autoft.data.polygons import cover

Array = np.ndarray[Any, np.dtype[Any]]


def drawn(ring: list[float], width: int, height: int) -> Array:
    canvas = np.zeros((height, width), np.int32)
    cover(ring, (width, height)).fill(canvas, 1)
    return canvas


def inside(ring: list[float], width: int, height: int) -> Array:
    """Each pixel's middle asked for by itself, by the angles under which it sees the edges."""
    points = np.array(ring).reshape(-1, 2)
    found = np.zeros((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            here = points - (column + 0.5, row + 0.5)
            next_ = np.roll(here, -1, 0)
            cross = here[:, 0] * next_[:, 1] - here[:, 1] * next_[:, 0]
            turned = np.arctan2(cross, (here * next_).sum(1)).sum() / (2 * math.pi)
            found[row, column] = round(turned) % 2
    return found


def circle(x: float, y: float, radius: float, corners: int = 40) -> list[float]:
    turns = [2 * math.pi * number / corners for number in range(corners)]
    return [side for turn in turns for side in (x + radius * math.cos(turn), y + radius * math.sin(turn))]


def test_a_square_has_its_area() -> None:
    found = drawn([2, 3, 12, 3, 12, 13, 2, 13], 20, 20)
    assert found.sum() == 100 and found[3:13, 2:12].all()


@pytest.mark.parametrize("radius", [3.0, 6.0, 9.3])
def test_a_circle_has_its_area(radius: float) -> None:
    found = drawn(circle(10.2, 9.9, radius), 20, 20)
    assert abs(found.sum() / (math.pi * radius**2) - 1) < 0.06


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_pixels_whose_middles_lie_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ring = rng.uniform(-6, 22, 2 * int(rng.integers(3, 9))).tolist()  # crosses itself, and reaches outside
    assert (drawn(ring, 16, 12) == inside(ring, 16, 12)).all()


def test_neighbours_share_no_pixel() -> None:
    left, right = drawn([0, 0, 5.5, 0, 5.5, 8, 0, 8], 10, 8), drawn([5.5, 0, 10, 0, 10, 8, 5.5, 8], 10, 8)
    assert (left + right == 1).all()


def test_what_is_thinner_than_a_pixel_is_not_lost() -> None:
    found = drawn([2, 3.1, 8, 3.1, 8, 3.3, 2, 3.3], 12, 6)
    assert found[3, 2:8].all() and found.sum() <= 8
    assert drawn([4.1, 4.1, 4.2, 4.1, 4.2, 4.2], 12, 6).sum() == 1


@pytest.mark.parametrize("ring", [[30, 1, 40, 1, 40, 9], [-9, -9, -2, -9, -2, -2], [3, 12, 8, 12, 8, 20]])
def test_what_lies_outside_covers_nothing(ring: list[float]) -> None:
    assert not drawn(ring, 10, 10).any()
