"""Folders of images with `metadata.jsonl`, as the Hugging Face library takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoft.api import DataError, ReadOptions
from autoft.data.readers import open_dataset
from autoft.options import DataOptions
from autoft.registry import load
from autoft.testing import ReaderContract, scenes
from autoft_detection._metadata import MetadataBoxReader
from autoft_detection._task import ObjectDetection

ASKED = ReadOptions(needs=("image", "boxes"))
BOXES = [[1.0, 2.0, 10.0, 5.0], [20.0, 30.0, 8.0, 9.0]]


def write(folder: Path, things: Any, *parts: str, count: int = 3) -> None:
    for part in parts or ("",):
        scenes.write_pictures(folder / part, scenes.scenes(count))
        lines = [json.dumps({"file_name": f"{number:04d}.png", "objects": things}) for number in range(count)]
        (folder / part / "metadata.jsonl").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "things",
    [
        {"bbox": BOXES, "categories": [0, 1]},
        {"bbox": BOXES, "category": ["0", "1"]},
        [{"bbox": BOXES[0], "category": 0}, {"bbox": BOXES[1], "category": 1}],
    ],
)
def test_boxes_beside_images(tmp_path: Path, things: Any) -> None:
    write(tmp_path, things, "train", "test")
    found = MetadataBoxReader().read(str(tmp_path), ASKED)
    assert [(sample.id, sample.split) for sample in found.samples][::3] == [
        ("test/0000.png", "test"),
        ("train/0000.png", "train"),
    ]
    assert found.samples[0].fields["boxes"] == [[1.0, 2.0, 11.0, 7.0, "0"], [20.0, 30.0, 28.0, 39.0, "1"]]
    assert "x, y, width, height" in found.recognised


def test_corners_are_told_by_what_fits(tmp_path: Path) -> None:
    write(tmp_path, {"bbox": [[1, 2, 60, 40], [30, 20, 62, 46]], "category": ["a", "b"]})
    found = MetadataBoxReader().read(str(tmp_path), ASKED)
    assert found.samples[0].fields["boxes"][1] == [30.0, 20.0, 62.0, 46.0, "b"] and "two corners" in found.recognised


def test_fractions_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"bbox": [[0.1, 0.2, 0.3, 0.4]], "category": ["a"]})
    with pytest.raises(DataError, match="fractions"):
        MetadataBoxReader().read(str(tmp_path), ASKED)


@pytest.mark.parametrize("sides", [(0.5, 0.5, 0.25, 0.5), (1, 2, 30, 20)])
@pytest.mark.parametrize("reader", ["yolo-boxes", "voc-boxes", "table-boxes", "coco-boxes"])
def test_other_annotations_go_before(tmp_path: Path, reader: str, sides: tuple[float, ...]) -> None:
    """Exports carry several; fractions are refused here, and said what they are there."""
    write(tmp_path / "images", {"bbox": [sides], "category": [0]})
    corners = "<bndbox><xmin>17</xmin><ymin>13</ymin><xmax>40</xmax><ymax>36</ymax></bndbox>"
    files = {
        "yolo-boxes": ("labels/0000.txt", "0 0.5 0.5 0.25 0.5\n"),
        "voc-boxes": ("xml/0000.xml", f"<annotation><object><name>a</name>{corners}</object></annotation>"),
        "table-boxes": ("boxes.csv", "filename,class,xmin,ymin,xmax,ymax\n0000.png,a,1,2,9,9\n"),
        "coco-boxes": ("a.json", json.dumps({
            "images": [{"id": 1, "file_name": "images/0000.png", "width": 64, "height": 48}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
            "categories": [{"id": 1, "name": "a"}],
        })),
    }  # fmt: skip
    name, text = files[reader]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    if reader == "yolo-boxes":
        (tmp_path / "data.yaml").write_text("train: images\nnames: [a]\n")
    found = open_dataset(load(), DataOptions(data=str(tmp_path)), ObjectDetection())
    assert found.reader == reader and found.samples[0].fields["boxes"]


def test_lines_with_labels_are_no_boxes(tmp_path: Path) -> None:
    scenes.write_pictures(tmp_path, scenes.scenes(1))
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "0000.png", "label": "cat"}\n')
    assert not MetadataBoxReader().sniff(str(tmp_path), ASKED)


class TestMetadata(ReaderContract):
    reader = MetadataBoxReader
    options = ASKED
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        write(folder, {"bbox": BOXES, "category": ["a", "b"]})
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "0001.png").unlink()
        return str(folder)
