"""Boxes by the names of images (Kvasir-SEG), and rows of boxes (YOLO's Keras programs)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from autoft.api import ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._named import NamedBoxReader
from autoft_detection._rows import RowsReader

BOXES = ReadOptions(needs=("image", "boxes"))


def write(folder: Path, count: int = 9) -> dict[str, scenes.Scene]:
    made = scenes.scenes(count)
    return {file.name: scene for file, scene in zip(scenes.write_pictures(folder, made), made, strict=True)}


class TestNamedBoxReader(ReaderContract):
    reader = NamedBoxReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        listed = {
            name.removesuffix(".png"): {"width": 64, "height": 48, "bbox": [
                {"label": kind, "xmin": x1, "ymin": y1, "xmax": x2, "ymax": y2} for x1, y1, x2, y2, kind in scene.boxes
            ]}
            for name, scene in write(folder / "images").items()
        }  # fmt: skip
        (folder / "kavsir_bboxes.json").write_text(json.dumps(listed))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "images" / "0003.png").unlink()
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "coco").mkdir()
        (folder / "coco" / "a.json").write_text('{"images": [], "annotations": [{"bbox": [1, 2, 3, 4]}]}')
        return [*super().foreign(folder), os.fspath(folder / "coco")]


class TestRowsReader(ReaderContract):
    reader = RowsReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        rows = []
        for name, scene in write(folder / "train").items():
            kinds = "abcdefgh"
            cells = (f"{x1},{y1},{x2},{y2},{ord(kind[0]) % 8}" for x1, y1, x2, y2, kind in scene.boxes)
            rows.append(" ".join([name, *cells]))
            (folder / "train" / "_classes.txt").write_text("\n".join(kinds))
        (folder / "train" / "_annotations.txt").write_text("\n".join(rows))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "train" / "0003.png").unlink()
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "lists").mkdir()
        (folder / "lists" / "train.txt").write_text("a.png\nb.png\n")
        return [*super().foreign(folder), os.fspath(folder / "lists")]


def test_boxes_by_name(tmp_path: Path) -> None:
    write(tmp_path / "images", 2), write(tmp_path / "masks", 2)
    thing = {"label": "polyp", "xmin": 1, "ymin": 2, "xmax": 9, "ymax": 8}
    listed = {"0000": {"height": 48, "width": 64, "bbox": [thing, {**thing, "xmin": "?"}]}, "gone": {"bbox": []}}
    (tmp_path / "kavsir_bboxes.json").write_text(json.dumps(listed))
    found = NamedBoxReader().read(str(tmp_path), BOXES)
    (sample,) = found.samples
    assert sample.id == "images/0000.png" and sample.fields["boxes"] == [[1, 2, 9, 8, "polyp"]]
    assert sorted(issue.kind for issue in found.issues) == ["box_not_finite", "missing"]


def test_rows_of_boxes(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        write(tmp_path / part, 2)
        (tmp_path / part / "_annotations.txt").write_text("0000.png 1,2,9,8,1 1,1,5,5,0 1,1,5,5,7\n0001.png\n")
        (tmp_path / part / "_classes.txt").write_text("cat\ndog\n")
    found = RowsReader().read(str(tmp_path), BOXES)
    assert [(s.split, s.fields["boxes"]) for s in found.samples][:2] == [
        ("train", [[1, 2, 9, 8, "dog"], [1, 1, 5, 5, "cat"]]), ("train", []),
    ]  # fmt: skip
    assert "_classes.txt names the classes" in found.recognised
    assert {issue.kind for issue in found.issues} == {"box_unknown_class"}
