"""Augmentation moves image, mask and boxes alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from autoft_keras._places import REACHES, mover

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


def moved(word: str, count: int, seed: int) -> tuple[Any, dict[str, Any]]:
    images, targets = scene(count)
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
        assert box[4:].tolist() == [7.0, 1.0]
    assert (found["boxes"][:, 1] == -1).all(), "rows that hold no box stay so"


def test_beyond_the_edge_there_is_no_class() -> None:
    images, found = moved("strong", 32, 2)
    outside = found["mask"] == -1
    assert outside.any() and set(np.unique(found["mask"]).tolist()) == {-1, 0, 3}
    assert (images[outside].std(-1) < 1e-3).all()
