"""Boxes that the usual side of images hardly shows."""

from __future__ import annotations

import pytest

from autoft.api import Dataset, Sample
from autoft_detection import _sides
from autoft_detection._task import ObjectDetection


def dataset(width: float, height: float, size: tuple[int, int], split: str = "") -> Dataset:
    boxes = [[0.0, 0.0, width, height, "car"]] * 3 + [[0.0, 0.0, size[0], size[1], "car", "crowd"]] * 9
    samples = (Sample(id=split or "a", fields={"boxes": boxes, "size": list(size)}, split=split),)
    return Dataset(samples=samples, reader="", root="", recognised="")


@pytest.mark.parametrize(
    ("box", "size", "side", "words"),
    [
        ((40, 40), (320, 240), 256, ""),
        ((20, 20), (1360, 765), 512, "under 5.1 pixels on a side where images have 256"),
        ((12, 12), (640, 640), 512, "image_size=512 shows them better, at 4 times the cost."),
        ((6, 6), (1920, 1080), 640, "; so would tiles of the images."),
        ((4, 4), (300, 300), 256, "larger images would show them."),
        ((9, 9), (400, 400), 384, "image_size=384"),
    ],
)
def test_the_side_follows_boxes_and_images(box: tuple[int, int], size: tuple[int, int], side: int, words: str) -> None:
    schema = ObjectDetection().schema(dataset(*box, size))
    assert _sides.of(schema) == side
    said = [text for text in schema.extra["warnings"] if "half of the boxes" in text]
    assert words in said[0] if words else not said


def test_the_test_part_is_not_looked_at() -> None:
    assert _sides.typical(dataset(2, 2, (640, 640), "test")) == 0.0
    assert _sides.suited(0.0, 640) == _sides.USUAL and not _sides.warnings(0.0, 640)
