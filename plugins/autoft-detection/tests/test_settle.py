"""Doubles: which boxes stay, and how the limit is found on validation."""

from __future__ import annotations

import numpy as np
import pytest

from autoft.api import Dataset, Sample, Schema
from autoft_detection import _dense, _geometry, _most, _settle
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
    assert kept.shape == (1, _most.LEAST, 6) and kept.dtype == np.float32
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


def bees(number: int, split: str = "") -> Sample:
    """A picture with `number` x `number` things in rows and columns."""
    places = [1000 * (n + 0.5) / number for n in range(number)]
    boxes = [[x - 15, y - 15, x + 15, y + 15, "bee"] for x in places for y in places]
    return Sample(id=f"{split}{number}", fields={"boxes": boxes, "size": [1000, 1000]}, split=split)


@pytest.mark.parametrize(("number", "most"), [(4, 100), (10, 100), (12, 216), (20, 600)])
def test_a_picture_full_of_things_is_found_whole(number: int, most: int) -> None:
    """With COCO's limit of 100, perfect maps of 400 things score 0.26."""
    task, samples = ObjectDetection(), (bees(number), bees(2, "test"))
    schema = task.schema(Dataset(samples=samples, reader="", root="", recognised=""))
    assert schema.extra["most"] == most == _most.of(schema)
    boxes, centres = task.formulations(schema)
    assert boxes.outputs[0].most == max(300, 2 * most)
    targets = task.encode(samples, schema, centres)
    maps = _dense.encode(targets, 128, 128, centres)
    decoded = task.decode({"heat": maps["heat"], "sides": np.nan_to_num(maps["sides"])}, schema, centres)
    assert decoded["boxes"].shape[1] == 2 * most
    settled = task.settled(decoded, task.calibrate(decoded, targets, schema))
    assert settled["boxes"].shape[1] == most
    assert task.score(settled, targets, schema, ["ap75"])["ap75"] == pytest.approx(1.0)
    assert any("up to" in said for said in schema.extra["warnings"]) == (most > 100)


def test_the_test_part_does_not_set_the_limit_and_there_is_a_highest_one() -> None:
    task, samples = ObjectDetection(), (bees(2), bees(40, "test"))
    assert task.schema(Dataset(samples=samples, reader="", root="", recognised="")).extra["most"] == 100
    full = task.schema(Dataset(samples=(bees(40),), reader="", root="", recognised=""))
    assert full.extra["most"] == _most.CEILING
    assert any("an image has 1600 boxes" in said and "beyond" in said for said in full.extra["warnings"])
    assert _most.of(SCHEMA) == 100, "as models of before have it"


def test_doubles_are_those_that_all_pairs_show() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        low = np.round(rng.random((60, 2)), 1)
        boxes, kinds = np.concatenate([low, low + np.round(rng.random((60, 2)), 1)], 1), rng.integers(0, 2, 60)
        stay = np.ones(60, bool)
        clash = (_geometry.overlap(boxes, boxes) > 0.4) & (kinds[:, None] == kinds[None])
        for row in range(60):
            if stay[row]:
                stay[row + 1 :] &= ~clash[row, row + 1 :]
        assert np.array_equal(_geometry.suppress(boxes, kinds, 0.4), stay) and not stay.all()
