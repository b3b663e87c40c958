"""Augmentation moves image, mask and boxes alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from autoft.vocab import UNTAUGHT
from autoft_keras._places import GREY, REACHES, hide, mover

SIDE = 64


def scene(count: int = 8) -> tuple[Any, dict[str, Any]]:
    """A white square on black, its mask and its box; columns beyond the fourth are the task's own."""
    images = np.zeros((count, SIDE, SIDE, 3), np.uint8)
    images[:, 20:44, 12:36] = 255
    mask = np.zeros((count, SIDE, SIDE), np.int64)
    mask[:, 20:44, 12:36] = 3
    box = np.array([12 / SIDE, 20 / SIDE, 36 / SIDE, 44 / SIDE, 7.0, 1.0], np.float32)
    boxes = np.broadcast_to(np.stack([box, np.full(6, -1, np.float32)]), (count, 2, 6))
    return tf.constant(images), {"mask": tf.constant(mask), "boxes": tf.constant(boxes)}


def moved(word: str, count: int, seed: int, *further: float) -> tuple[Any, dict[str, Any]]:
    images, targets = scene(count)
    if further:
        second = tf.broadcast_to(tf.constant(further, tf.float32), (count, 1, 6))
        targets["boxes"] = tf.concat([targets["boxes"][:, :1], second], 1)
    shown, found = mover(word, SIDE)(images, targets, tf.constant([seed, 0]))
    return np.asarray(shown), {key: np.asarray(value) for key, value in found.items()}


@pytest.mark.parametrize("word", REACHES)
def test_image_mask_and_boxes_move_alike(word: str) -> None:
    images, found = moved(word, 16, 1)
    for row in range(16):
        thing, white = found["mask"][row] == 3, images[row].min(-1) > images[row].max() * 0.75
        both = (thing & white).sum() / max(1, (thing | white).sum())
        assert both > 0.8, f"image and mask of row {row} have {both:.0%} in common"
        box = found["boxes"][row, 0]
        if box[0] < 0:
            continue
        rows, columns = np.nonzero(thing)
        edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIDE
        assert np.abs(edges - box[:4]).max() < 2.5 / SIDE
        assert box[4:].tolist() in ([7.0, 1.0], [UNTAUGHT - 7.0, 1.0])
    assert (found["boxes"][:, 1] == -1).all(), "rows that hold no box stay so"


def test_light_mirrors_masks_alone() -> None:
    images, targets = scene(32)
    mask = np.array(targets["mask"])
    mask[:, 20:44, 12:24] = 5  # the left half
    targets["mask"] = tf.constant(mask)
    for word, boxes, mirrors in (("light", True, False), ("light", False, True), ("trivial", True, True)):
        given = targets if boxes else {"mask": targets["mask"]}
        found = np.asarray(mover(word, SIDE)(images, given, tf.constant([3, 0]))[1]["mask"])
        left, right = (np.array([np.nonzero(row == value)[1].mean() for row in found]) for value in (5, 3))
        assert bool((left > right).any()) is mirrors
        heights = np.array([np.nonzero(row > 0)[0].mean() for row in found])
        assert heights.max() < SIDE * 0.75, "never upside down"


def test_beyond_the_edge_there_is_no_class() -> None:
    images, found = moved("strong", 32, 2)
    outside = found["mask"] == -1
    assert outside.any() and set(np.unique(found["mask"]).tolist()) == {-1, 0, 3}
    assert (images[outside].std(-1) < 1e-3).all()


def test_a_box_that_is_mostly_cut_off_is_not_taught_any_more() -> None:
    _, found = moved("strong", 64, 4, 0.0, 0.0, 0.3, 0.3, 2.0, 0.0)
    rows = found["boxes"].reshape(-1, 6)
    codes = set(rows[:, 4].tolist())
    assert codes <= {7.0, 2.0, -1.0, UNTAUGHT - 7.0, UNTAUGHT - 2.0} and UNTAUGHT - 2.0 in codes
    little = rows[rows[:, 4] < -1]
    assert ((little[:, 2] > little[:, 0]) & (little[:, 3] > little[:, 1])).all(), "what is left of it is known"
    assert ((little[:, :4] == 0) | (little[:, :4] == 1)).any(1).all(), "it lies at the edge"
    assert (rows[rows[:, 4] == -1] == -1).all()


def test_what_is_not_taught_is_grey_unless_it_lies_in_another_box() -> None:
    images = tf.fill((2, 8, 8, 3), tf.constant(7, tf.uint8))
    boxes = np.full((2, 2, 5), -1, np.float32)
    assert np.array_equal(hide(images, {"boxes": tf.constant(boxes)}), images)
    boxes[0, 0] = 0.0, 0.0, 0.5, 0.5, UNTAUGHT - 1
    boxes[0, 1] = 0.25, 0.25, 1.0, 1.0, 0.0
    shown = np.asarray(hide(images, {"boxes": tf.constant(boxes)}))
    wanted = np.zeros((8, 8), bool)
    wanted[:4, :4] = True
    wanted[2:, 2:] = False
    assert (shown[0][wanted] == GREY).all() and (shown[0][~wanted] == 7).all() and (shown[1] == 7).all()
