"""Reading LabelMe's JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._drawn import LabelMeReader

BOXES = ReadOptions(needs=("image", "boxes"))


def content(shapes: list[dict[str, Any]], name: str) -> str:
    return json.dumps({"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": name, "imageData": None,
                       "imageHeight": 48, "imageWidth": 64})  # fmt: skip


def shape(label: str, points: list[list[float]], kind: str = "rectangle") -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}}


def write(folder: Path, count: int = 9) -> list[scenes.Scene]:
    """JSON beside the images."""
    made = scenes.scenes(count)
    for file, scene in zip(scenes.write_pictures(folder, made), made, strict=True):
        shapes = [shape(name, [[x2, y2], [x1, y1]]) for x1, y1, x2, y2, name in scene.boxes]
        file.with_suffix(".json").write_text(content(shapes, file.name))
    return made


class TestLabelMeReader(ReaderContract):
    reader = LabelMeReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        write(folder)
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        write(folder)
        (folder / "0003.png").unlink()
        (folder / "0002.json").write_text('{"shapes": [, "imagePath": ""}')
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "settings").mkdir()
        (folder / "settings" / "a.json").write_text('{"shapes": 3}')
        return [*super().foreign(folder), os.fspath(folder / "settings")]


def test_rectangles_are_boxes(tmp_path: Path) -> None:
    made = write(tmp_path)
    found = LabelMeReader().read(str(tmp_path), BOXES)
    assert [[tuple(row) for row in s.fields["boxes"]] for s in found.samples] == [scene.boxes for scene in made]


def test_other_shapes_and_names_of_pictures(tmp_path: Path) -> None:
    scenes.write_pictures(tmp_path / "train" / "images", scenes.scenes(2))
    (tmp_path / "train" / "json").mkdir()
    shapes = [
        shape("a", [[10, 10], [30, 12], [20, 40]], "polygon"),
        shape("b", [[32, 24], [32, 34]], "circle"),
        shape("c", [[5, 5]], "point"),
        shape("d", [[5, 5], ["x", 9]]),
    ]
    (tmp_path / "train" / "json" / "first.json").write_text(content(shapes, "..\\images\\0000.png"))
    found = LabelMeReader().read(str(tmp_path), BOXES)
    (sample,) = found.samples
    assert (sample.id, sample.split) == ("train/images/0000.png", "train")
    assert sample.fields["boxes"] == [[10, 10, 30, 40, "a"], [22, 14, 42, 34, "b"]]
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("no_annotation", "train/images/0001.png")]


def test_other_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="LabelMe"):
        LabelMeReader().read(str(tmp_path), BOXES)
