"""Doubles: which boxes stay, and how the limit is found on validation."""

from __future__ import annotations

import numpy as np

from autoft.api import Schema
from autoft_detection import _settle
from autoft_detection._task import ObjectDetection

SCHEMA = Schema(task="object-det", classes=("a", "b"))
NONE = [-1.0] * 6


def found(*rows: list[float]) -> np.ndarray:
    return np.array([[*rows, NONE]], np.float32)


def row(x: float, score: float, kind: int = 0) -> list[float]:
    """A box of width 0.2 at x."""
    return [x, 0.2, x + 0.2, 0.4, score, kind]


def test_doubles_go_and_other_classes_stay() -> None:
    boxes = found(row(0.1, 0.9), row(0.11, 0.8), row(0.11, 0.7, 1), row(0.6, 0.6))
    kept = _settle.settle(boxes)
    assert kept.shape == (1, _settle.MOST, 6) and kept.dtype == np.float32
    assert np.allclose(kept[0, :3, 4], [0.9, 0.7, 0.6]) and (kept[0, 3:] == -1).all()
    assert np.array_equal(_settle.settle(kept), kept), "what is settled stays so"


def test_many_boxes_become_a_hundred() -> None:
    many = np.array([[[0.001 * k, 0, 0.001 * k + 0.0005, 1, 1 - k / 500, 0] for k in range(300)]], np.float32)
    assert (_settle.settle(many)[0, :, 5] == 0).all()


def scenes(shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Twenty pictures with two things `shift` apart, both found, the second one surer in every other picture."""
    rows = [found(row(0.1, 0.9 - 0.01 * k), row(0.1 + shift, 0.8 - 0.01 * k)) for k in range(20)]
    truth = np.array([[[*row(0.1, 0)[:4], 0], [*row(0.1 + shift, 0)[:4], 0]]] * 20, np.float32)
    return np.concatenate(rows), truth


def test_the_limit_suits_the_data() -> None:
    near, truth = scenes(0.045)  # they overlap by 0.63
    assert _settle.best(near, truth, 2) == 0.7, "things that overlap are not doubles"
    doubled, _ = scenes(0.06)  # by 0.54: here the second box is a false one
    assert _settle.best(doubled, truth[:, :1], 2) == 0.5
    apart, truth = scenes(0.5)
    assert _settle.best(apart, truth, 2) == _settle.NMS, "without a reason it stays as it was"
    assert _settle.best(apart[:0], truth[:0], 2) == _settle.NMS


def test_the_model_keeps_it_and_predicts_with_it() -> None:
    task = ObjectDetection()
    near, truth = scenes(0.045)
    schema = task.calibrate({"boxes": near}, {"boxes": truth}, SCHEMA)
    assert schema.extra["calibrated"]["nms"] == 0.7
    settled = task.settled({"boxes": near}, schema)["boxes"]
    assert (settled[..., 5] >= 0).sum() == 40
    usual = task.settled({"boxes": near}, SCHEMA)["boxes"]
    assert (usual[..., 5] >= 0).sum() == 20, "the default takes them for doubles"
