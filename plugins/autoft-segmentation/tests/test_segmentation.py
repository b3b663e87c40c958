"""What is particular to segmentation: metrics over the set, tables, and masks as files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image

from autoft.api import Counting, Dataset, Sample, Schema
from autoft_segmentation import _metrics
from autoft_segmentation._export import colours
from autoft_segmentation._task import ImageSegmentation

SCHEMA = Schema(task="image-seg", classes=("background", "road", "car"))


def test_metrics_by_hand() -> None:
    truth = np.array([[[0, 0], [1, 255]], [[1, 1], [1, 0]]], np.uint8)
    found = np.array([[[0, 1], [1, 2]], [[1, 1], [0, 0]]], np.uint8)
    counts = _metrics.tally(found, truth, 3)
    assert counts[0].tolist() == [[1, 1, 0], [1, 2, 0], [2, 1, 0]]
    # Over the set: background 2 right, 3 predicted, 3 true; road 3 right, 4 predicted, 4 true; no car anywhere.
    assert math.isclose(_metrics.compute("miou", counts), (2 / 4 + 3 / 5) / 2)
    assert math.isclose(_metrics.compute("dice", counts), (4 / 6 + 6 / 8) / 2)
    assert math.isclose(_metrics.compute("pixel_accuracy", counts), 5 / 7)
    assert math.isclose(_metrics.compute("class_accuracy", counts), (2 / 3 + 3 / 4) / 2)
    assert math.isnan(_metrics.class_iou(counts)[2])


def test_a_class_that_is_only_predicted_counts_as_wrong() -> None:
    truth, found = np.zeros((1, 2, 2), np.uint8), np.array([[[0, 0], [0, 2]]], np.uint8)
    assert math.isclose(_metrics.compute("miou", _metrics.tally(found, truth, 3)), (3 / 4 + 0) / 2)


def test_maps_of_another_size_are_read_at_the_nearest_place() -> None:
    truth = np.repeat(np.repeat(np.array([[[0, 1], [2, 0]]], np.uint8), 3, 1), 3, 2)
    small = np.array([[[0, 1], [2, 0]]], np.uint8)
    assert _metrics.compute("miou", _metrics.tally(small, truth, 3)) == 1.0


def test_rows_tell_shares() -> None:
    decoded = {"mask": np.array([[[1, 1], [1, 0]]], np.uint8)}
    (row,) = ImageSegmentation().rows(decoded, SCHEMA)
    assert row == {"prediction": "road", "share_background": 0.25, "share_road": 0.75, "share_car": 0.0}


def test_masks_are_written_at_the_images_own_size(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), (200, 200, 200)).save(tmp_path / "photo.jpg")
    samples = [
        Sample(id=name, fields={"image": str(tmp_path / "photo.jpg")}) for name in ("a/photo.jpg", "../../evil.jpg")
    ]
    decoded = {"mask": np.array([[[1, 1], [2, 0]]] * 2, np.uint8)}
    out = tmp_path / "out"
    out.mkdir()
    words = ImageSegmentation().export(decoded, samples, SCHEMA, out)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    folder = ["classes.txt", "a/photo_mask.png", "a/photo_overlay.jpg", "evil_mask.png", "evil_overlay.jpg"]
    assert written == sorted(["photo.jpg", *(f"out/{name}" for name in folder)])
    with Image.open(out / "a" / "photo_mask.png") as mask:
        assert mask.mode == "P" and mask.size == (30, 20)
        assert mask.getpixel((25, 15)) == 0 and mask.getpixel((5, 15)) == 2
        assert mask.getpalette()[6:9] == colours(3)[2].tolist()
    with Image.open(out / "a" / "photo_overlay.jpg") as overlay:
        assert overlay.size == (30, 20)
    assert "1 road" in (out / "classes.txt").read_text() and len(words) == 3


def test_images_that_differ_in_their_suffix_alone_keep_it(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "x.png")
    names = ["x.png", "x.jpg", "y.png", "x.jpg", "X.PNG"]
    samples = [Sample(id=name, fields={"image": str(tmp_path / "x.png")}) for name in names]
    out = tmp_path / "out"
    out.mkdir()
    masks = np.zeros((5, 2, 2), np.uint8)
    parts = [({"mask": masks[rows]}, samples[rows]) for rows in (slice(0, 2), slice(2, 5))]
    words = ImageSegmentation().export_parts(parts, names, SCHEMA, out)
    assert sorted(path.name for path in out.glob("*_mask.png")) == sorted(
        f"{name}_mask.png" for name in ("x.png", "x.jpg", "y", "x.jpg-2", "X.PNG-2")
    )
    assert words[0] == "5 masks (*_mask.png)"


def test_few_images_say_enough_for_one_validation_part() -> None:
    """A mask has thousands of pixels of several classes; with one thing in each, 190 images were divided five times."""
    task, samples = ImageSegmentation(), tuple(Sample(id=str(n), fields={}) for n in range(6))
    assert isinstance(task, Counting)
    assert sum(task.counts(Dataset(samples=samples, reader="", root="", recognised=""))) == 30
