"""Boxes as maps and back; geometry; the confidence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoft_detection import _confidence, _dense, _geometry
from autoft_detection._task import ObjectDetection

from autoft.api import Schema  # isort: skip

SCHEMA = Schema(task="object-det", classes=("a", "b"))
PROBLEM = next(problem for problem in ObjectDetection().formulations(SCHEMA) if problem.encoder)


def truth(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array([[*rows, (-1,) * 5]], np.float32)


def test_maps_by_hand() -> None:
    """One box of class b, centre in the cell (3, 5) of 8 x 8."""
    maps = _dense.encode({"boxes": truth((0.3, 0.55, 0.6, 0.8, 1))}, 8, 8, PROBLEM)
    assert maps["heat"].shape == (1, 8, 8, 2) and maps["sides"].shape == (1, 8, 8, 4)
    assert maps["heat"][0, 5, 3, 1] == 1 and maps["heat"][0, :, :, 0].max() == 0
    wanted = [3.5 / 8 - 0.3, 5.5 / 8 - 0.55, 0.6 - 3.5 / 8, 0.8 - 5.5 / 8]
    assert np.allclose(np.exp(maps["sides"][0, 5, 3]) / _dense.UNIT, wanted, atol=1e-5)
    assert np.isnan(maps["sides"][0, 0, 0]).all()


def test_ignored_boxes_are_neither_peaks_nor_background() -> None:
    maps = _dense.encode({"boxes": truth((0.5, 0.5, 1, 1, _dense.ignored(0)))}, 8, 8, PROBLEM)
    assert np.isnan(maps["heat"][0, 4:, 4:]).all() and (maps["heat"][0, :4] == 0).all()
    assert np.isnan(maps["sides"]).all()
    assert _dense.ignored(_dense.ignored(3)) == 3


def test_a_small_box_before_a_large_one_keeps_its_cells() -> None:
    maps = _dense.encode({"boxes": truth((0.4, 0.4, 0.6, 0.6, 0), (0, 0, 1, 1, 1))}, 32, 32, PROBLEM)
    found = _dense.decode(maps["heat"], np.nan_to_num(maps["sides"]))[0]
    assert np.allclose(found[:2, :4], [[0.4, 0.4, 0.6, 0.6], [0.4, 0.4, 0.6, 0.6]], atol=1e-3), "one cell has one box"
    assert set(found[:2, 5]) == {0, 1}
    apart = _dense.encode({"boxes": truth((0.1, 0.1, 0.3, 0.3, 0), (0, 0, 1, 1, 1))}, 32, 32, PROBLEM)
    found = _dense.decode(apart["heat"], np.nan_to_num(apart["sides"]))[0]
    assert np.allclose(sorted(found[:2, :4].tolist()), [[0, 0, 1, 1], [0.1, 0.1, 0.3, 0.3]], atol=1e-3)


@pytest.mark.parametrize("side", [16, 56, 64])
def test_round_trip(side: int) -> None:
    rng = np.random.default_rng(side)
    corners = rng.uniform(0, 0.2, (12, 2)) + np.array([(x, y) for x in range(4) for y in range(3)]) * (0.25, 0.33)
    sides = rng.uniform(0.06, 0.12, (12, 2))
    boxes = np.concatenate([corners, np.minimum(corners + sides, 1), rng.integers(0, 2, (12, 1))], 1)[None]
    maps = _dense.encode({"boxes": boxes}, side, side, PROBLEM)
    found = _dense.decode(maps["heat"], np.nan_to_num(maps["sides"]))[0]
    found = found[found[:, 5] >= 0]
    best = _geometry.overlap(boxes[0, :, :4], found[:, :4])
    assert (best.max(1) > 0.9).all() and (found[best.argmax(1), 5] == boxes[0, :, 4]).all()


def test_a_centre_on_the_edge_and_a_box_smaller_than_a_cell() -> None:
    for row in ((0.99, 0.99, 1, 1, 0), (0, 0, 1e-4, 1e-4, 0), (0.5, 0.5, 0.5001, 0.5001, 0)):
        maps = _dense.encode({"boxes": truth(row)}, 8, 8, PROBLEM)
        assert (maps["heat"] == 1).sum() == 1 and np.isfinite(maps["sides"]).any()


def test_wild_outputs_stay_within_the_image() -> None:
    rng = np.random.default_rng(0)
    boxes = _dense.decode(rng.random((2, 16, 16, 3), np.float32), rng.normal(0, 100, (2, 16, 16, 4)))
    real = boxes[boxes[..., 5] >= 0]
    assert np.isfinite(boxes).all() and len(real) and real[:, :4].min() >= 0 and real[:, :4].max() <= 1
    assert (np.diff(boxes[..., 4], axis=1) <= 0).all(), "best first"


def test_overlap_and_suppression() -> None:
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1], [1, 1, 1, 1], [5, 5, 6, 6]], float)
    assert np.allclose(_geometry.overlap(boxes, boxes)[0], [1, 0.5, 0, 0])
    classes = np.array([0, 0, 0, 0])
    assert _geometry.suppress(boxes, classes, 0.4).tolist() == [True, False, True, True]
    assert _geometry.suppress(boxes, np.array([0, 1, 0, 0]), 0.4).all(), "classes do not disturb each other"


def test_confidence_is_where_f1_is_best() -> None:
    real = np.array([[[0, 0, 0.5, 0.5, 0], [0.5, 0.5, 1, 1, 0], [0.6, 0, 1, 0.4, _dense.ignored(0)]]])
    found = np.array(
        [
            [
                [0, 0, 0.5, 0.5, 0.8, 0],
                [0.6, 0, 1, 0.4, 0.7, 0],  # on an ignored box: neither right nor wrong
                [0.5, 0.5, 1, 0.9, 0.6, 0],
                [0, 0, 0.4, 0.5, 0.5, 0],  # a second one for the same box
                [0.5, 0.5, 1, 1, 0.4, 1],  # of another class
                [-1] * 6,
            ]
        ]
    )
    assert math.isclose(_confidence.best(found, real), 0.6)
    assert _confidence.best(np.full((1, 3, 6), -1.0), real) == _confidence.DEFAULT
    assert _confidence.best(found, np.full((1, 3, 5), -1.0)) == _confidence.DEFAULT


def test_the_model_keeps_its_confidence() -> None:
    task = ObjectDetection()
    boxes = np.array([[[0, 0, 0.5, 0.5, 0.42, 0], [0.5, 0.5, 1, 1, 0.2, 1]]], np.float32)
    schema = task.calibrate({"boxes": boxes}, {"boxes": truth((0, 0, 0.5, 0.5, 0))}, SCHEMA)
    assert math.isclose(schema.extra["calibrated"]["confidence"], 0.42, abs_tol=1e-4)
    rows = [next(task.rows(task.above({"boxes": boxes}, schema, c), schema))["prediction"] for c in (None, 0.1, 0.9)]
    assert rows == ["a 1", "a 1, b 1", "nothing"]


def test_cells_around_a_peak_vote_on_its_box() -> None:
    maps = _dense.encode({"boxes": truth((0.2, 0.2, 0.8, 0.8, 0))}, 32, 32, PROBLEM)
    heat, sides = maps["heat"], np.nan_to_num(maps["sides"])
    y, x = np.argwhere(heat[0, :, :, 0] == 1)[0]
    sides[0, y, x] += 0.2  # the peak alone errs
    found = _dense.decode(heat, sides)[0, 0, :4]
    alone = _dense._box(sides[0], np.array([y]), np.array([x]))[0]
    wanted = np.array([0.2, 0.2, 0.8, 0.8])
    assert np.abs(found - wanted).max() < 0.2 * np.abs(alone - wanted).max()
    assert (heat >= 0.5).sum() > 9, "the peak is wide"


def test_sides_are_learned_where_boxes_are_read() -> None:
    """Decoding looks at the cells around a peak alone: further ones would take most of the loss."""
    maps = _dense.encode({"boxes": truth((0.1, 0.1, 0.9, 0.9, 0))}, 64, 64, PROBLEM)
    heat, known = maps["heat"][0, :, :, 0], np.isfinite(maps["sides"][0]).all(-1)
    assert (known == (heat >= _dense.NEAR)).all() and 0 < known.sum() < 0.6 * (heat > 0).sum()
    y, x = np.argwhere(heat == 1)[0]
    assert known[y - _dense.REACH : y + _dense.REACH + 1, x - _dense.REACH : x + _dense.REACH + 1].all()
