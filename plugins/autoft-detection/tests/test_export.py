"""Predictions as files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

from autoft.api import Sample, Schema
from autoft_detection._task import ObjectDetection


def test_files_hold_the_boxes_in_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    Image.new("RGB", (200, 100)).save(tmp_path / "turned.jpg", exif=exif)  # upright: 100 x 200
    Image.new("RGB", (50, 50)).save(tmp_path / "=empty.png")
    samples = [Sample(id=name, fields={"image": str(tmp_path / name)}) for name in ("turned.jpg", "=empty.png")]
    boxes = np.full((2, 3, 6), -1, np.float32)
    boxes[0, 0] = [0.1, 0.2, 0.5, 0.6, 0.75, 1]
    out = tmp_path / "out"
    out.mkdir()
    told = ObjectDetection().export({"boxes": boxes}, samples, Schema(task="object-det", classes=("a", "b")), out)
    content = json.loads((out / "coco.json").read_text())
    assert content["images"][0] == {"id": 1, "file_name": "turned.jpg", "width": 100, "height": 200}
    assert len(content["images"]) == 2 and [c["name"] for c in content["categories"]] == ["a", "b"]
    (entry,) = content["annotations"]
    assert entry["bbox"] == [10, 40, 40, 80] and entry["category_id"] == 2 and entry["score"] == 0.75
    with (out / "boxes.csv").open() as file:
        assert list(csv.reader(file))[1:] == [["turned.jpg", "b", "0.75", "10.0", "40.0", "50.0", "120.0"]]
    drawn = sorted((out / "pictures").iterdir())
    assert [file.name for file in drawn] == ["00001-turned.jpg", "00002-_empty.jpg"]
    with Image.open(drawn[0]) as picture:
        assert picture.size == (100, 200)
        assert max(picture.getpixel((10, 80))) > 100, "the left side of the box is drawn"
        assert max(picture.getpixel((30, 80))) < 30, "its middle is not"
    assert any("coco.json" in word for word in told)


def test_rows_for_programs_hold_the_boxes_in_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    Image.new("RGB", (200, 100)).save(tmp_path / "turned.jpg", exif=exif)  # upright: 100 x 200
    samples = [Sample(id="turned.jpg", fields={"image": str(tmp_path / "turned.jpg")})]
    boxes = np.full((1, 3, 6), -1, np.float32)
    boxes[0, 0] = [0.1, 0.2, 0.5, 0.6, 0.75, 1]
    (found,) = ObjectDetection().items({"boxes": boxes}, samples, Schema(task="object-det", classes=("a", "b")))
    box = {"class": "b", "confidence": 0.75, "x1": 10.0, "y1": 40.0, "x2": 50.0, "y2": 120.0}
    assert found == {"detections": [box]}
