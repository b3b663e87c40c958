"""Of shapes that overlap, the smaller one lies on top, whatever the order in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import ReadOptions, Shape
from autoft.data import masks
from autoft_segmentation._coco import CocoMaskReader
from autoft_segmentation._order import layered
from autoft_segmentation._yolo import YoloMaskReader

ASKED = ReadOptions(needs=("image", "mask"))
SIDE = 8
WHOLE, SMALL = [0, 0, 8, 0, 8, 8, 0, 8], [2, 2, 4, 2, 4, 4, 2, 4]


def drawn(sample: Any, *classes: str) -> Any:
    wanted = masks.labels([sample.fields["mask"]], ("background", *classes))
    return masks.decode(0, wanted, SIDE, sample.fields["image"]).pixels


def coco(folder: Path, *annotations: dict[str, Any]) -> Any:
    Image.new("RGB", (SIDE, SIDE)).save(folder / "a.png")
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": SIDE, "height": SIDE}],
        "categories": [{"id": 1, "name": "road"}, {"id": 2, "name": "car"}],
        "annotations": [{"id": n, "image_id": 1, **each} for n, each in enumerate(annotations)],
    }
    (folder / "a.json").write_text(json.dumps(content))
    (sample,) = CocoMaskReader().read(str(folder), ASKED).samples
    return sample


@pytest.mark.parametrize("turned", [False, True])
def test_coco(tmp_path: Path, turned: bool) -> None:
    annotations = [{"category_id": 2, "segmentation": [SMALL]}, {"category_id": 1, "segmentation": [WHOLE]}]
    found = drawn(coco(tmp_path, *annotations[:: -1 if turned else 1]), "road", "car")
    assert (found[2:4, 2:4] == 2).all() and (found == 1).sum() == 60


def test_crowds_hide_nothing(tmp_path: Path) -> None:
    crowd = {"category_id": 1, "iscrowd": 1, "segmentation": {"counts": [18, 2, 6, 2, 36], "size": [SIDE, SIDE]}}
    found = drawn(coco(tmp_path, {"category_id": 1, "segmentation": [WHOLE]}, crowd), "road", "car")
    assert (found == 1).all(), "4 pixels of a crowd lie below"


def test_yolo(tmp_path: Path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "images" / "a.png")
    rows = [" ".join(map(str, [kind, *(side / SIDE for side in ring)])) for kind, ring in ((1, SMALL), (0, WHOLE))]
    (tmp_path / "labels" / "a.txt").write_text("\n".join(rows))
    (tmp_path / "data.yaml").write_text("names: [road, car]\ntrain: images\nval: images\n")
    sample = YoloMaskReader().read(str(tmp_path), ASKED).samples[0]
    assert np.unique(drawn(sample, "road", "car"), return_counts=True)[1].tolist() == [60, 4]


def test_areas_are_without_holes() -> None:
    ring = Shape(name="ring", polygons=((0, 0, 8, 0, 8, 8, 0, 8),), holes=((1, 1, 7, 1, 7, 7, 1, 7),))
    runs, crowd = Shape(name="runs", runs=(0, 30, 34)), Shape(name="", runs=(0, 1, 63))
    assert [shape.name for shape in layered([ring, runs, crowd])] == ["", "runs", "ring"]
