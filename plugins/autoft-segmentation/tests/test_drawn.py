"""What labelling tools export, as masks: polygons with holes, bitmaps, brushes."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import ReadOptions
from autoft.data import masks
from autoft.testing import ReaderContract
from autoft_segmentation._drawn import LabelStudioMaskReader, SuperviselyMaskReader, ViaMaskReader

ASKED = ReadOptions(needs=("image", "mask"))
SIDE = 8
Array = np.ndarray[Any, np.dtype[Any]]


def pictures(folder: Path, count: int = 6) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    return [f"{number}.png" for number in range(count)]


def drawn(sample: Any) -> Array:
    """The mask of a sample at its own size, 0 background, 1 cat, 2 dog, 255 none."""
    wanted = masks.labels([sample.fields["mask"]], ("background", "cat", "dog"))
    return np.asarray(masks.decode(0, wanted, SIDE, sample.fields["image"]).pixels)


def block(top: int, left: int, bottom: int, right: int, value: int = 1) -> Array:
    found = np.zeros((SIDE, SIDE), np.uint8)
    found[top:bottom, left:right] = value
    return found


def square(*sides: float) -> list[list[float]]:
    x1, y1, x2, y2 = sides
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def supervise(folder: Path, name: str, objects: list[Any]) -> None:
    (folder / "ann").mkdir(exist_ok=True)
    content = {"size": {"width": SIDE, "height": SIDE}, "tags": [], "objects": objects}
    (folder / "ann" / f"{name}.json").write_text(json.dumps(content))


def packed(pixels: Array, **save: Any) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **save)
    return base64.b64encode(zlib.compress(stream.getvalue())).decode()


def bitmap(data: str, left: int = 0, top: int = 0, name: str = "cat") -> dict[str, Any]:
    return {"classTitle": name, "geometryType": "bitmap", "bitmap": {"data": data, "origin": [left, top]}}


def polygon(name: str, outer: Any, *inner: Any) -> dict[str, Any]:
    return {"classTitle": name, "geometryType": "polygon", "points": {"exterior": outer, "interior": inner}}


def bits(pixels: Array) -> list[int]:
    """As Label Studio packs a picture of four bytes for each pixel; each run is one value that comes again."""
    flat = np.repeat(pixels.ravel() * 255, 4)
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
    text = f"{flat.size:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"  # lengths of 3, 4, 8 and 16 bits
    for place, (start, end) in enumerate(itertools.pairwise(edges)):
        text += "1" + ("10" + f"{end - start - 1:08b}" if place % 2 else "11" + f"{end - start - 1:016b}")
        text += f"{flat[start]:08b}"
    text += "0" * (-len(text) % 8)
    return [int(text[place : place + 8], 2) for place in range(0, len(text), 8)]


def task(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    result = {"original_width": SIDE, "original_height": SIDE, "image_rotation": 0, "type": kind, "value": value}
    return {"id": 1, "data": {"image": f"/data/upload/1/0a1b2c3d-{name}"}, "annotations": [{"result": [result]}]}


class TestSuperviselyMaskReader(ReaderContract):
    reader = SuperviselyMaskReader
    options = ASKED
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        for name in pictures(folder / "ds0" / "img"):
            supervise(folder / "ds0", name, [polygon("cat", square(1, 1, 4, 4))])
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "ds0" / "img" / "3.png").unlink()
        return os.fspath(folder)


class TestLabelStudioMaskReader(ReaderContract):
    reader = LabelStudioMaskReader
    options = ASKED
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        value = {"points": square(10, 10, 50, 50), "polygonlabels": ["cat"]}
        tasks = [task(name, "polygonlabels", value) for name in pictures(folder / "photos")]
        (folder / "a.json").write_text(json.dumps(tasks))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "photos" / "3.png").unlink()
        return os.fspath(folder)


class TestViaMaskReader(ReaderContract):
    reader = ViaMaskReader
    options = ASKED
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        shape = {"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 5]}
        one = {"shape_attributes": shape, "region_attributes": {"kind": "cat"}}
        found = {name: {"filename": name, "regions": [one], "file_attributes": {}} for name in pictures(folder)}
        (folder / "via_region_data.json").write_text(json.dumps(found))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "3.png").unlink()
        return os.fspath(folder)


def test_what_lies_below_shows_in_a_hole(tmp_path: Path) -> None:
    pictures(tmp_path / "ds0" / "img", 1)
    ring = polygon("dog", square(0, 0, 8, 8), square(2, 2, 6, 6))
    supervise(tmp_path / "ds0", "0.png", [polygon("cat", square(0, 0, 4, 4)), ring])
    (sample,) = SuperviselyMaskReader().read(str(tmp_path), ASKED).samples
    expected = np.full((SIDE, SIDE), 2)
    expected[2:6, 2:6] = 0
    expected[2:4, 2:4] = 1
    assert (drawn(sample) == expected).all()


def test_bitmaps_lie_at_their_origin(tmp_path: Path) -> None:
    pictures(tmp_path / "ds0" / "img", 3)
    solid, corner = np.full((2, 3), 255, np.uint8), np.array([[0, 255], [255, 255]], np.uint8)
    alpha = np.dstack([np.zeros((2, 2, 3), np.uint8), corner])
    supervise(tmp_path / "ds0", "0.png", [bitmap(packed(solid), 4, 1), bitmap(packed(corner), 0, 6, "dog")])
    supervise(tmp_path / "ds0", "1.png", [bitmap(packed(alpha), 7, 0)])
    supervise(tmp_path / "ds0", "2.png", [bitmap(packed(np.zeros((2, 2), np.uint8)))])
    data = SuperviselyMaskReader().read(str(tmp_path), ASKED)
    first = block(1, 4, 3, 7)
    first[7, :2] = first[6, 1] = 2
    assert (drawn(data.samples[0]) == first).all()
    assert (drawn(data.samples[1]) == block(1, 7, 2, 8)).all(), "what lies outside the picture is cut off"
    assert [issue.detail for issue in data.issues] == ["'cat' has no area"], "nothing is set in the third"


@pytest.mark.parametrize(
    "data",
    [
        packed(np.full((SIDE, SIDE + 1), 255, np.uint8)),
        packed(np.full((4, 4), 255, np.uint8))[:-8],
        base64.b64encode(zlib.compress(b"GIF89a" + bytes(99))).decode(),
        base64.b64encode(zlib.compress(bytes(65 << 20))).decode(),
        base64.b64encode(b"\x89PNG no zlib").decode(),
        "?",
        None,
    ],
    ids=["larger than its picture", "cut off", "no PNG", "a bomb", "not packed", "no base64", "nothing"],
)
def test_bitmaps_that_cannot_be_read_are_counted(tmp_path: Path, data: Any) -> None:
    pictures(tmp_path / "ds0" / "img", 1)
    supervise(tmp_path / "ds0", "0.png", [bitmap(data), bitmap(packed(np.full((2, 2), 255, np.uint8)))])
    found = SuperviselyMaskReader().read(str(tmp_path), ASKED)
    assert [(issue.kind, issue.detail) for issue in found.issues] == [("shape_unreadable", "'cat' cannot be read")]
    assert (drawn(found.samples[0]) == block(0, 0, 2, 2)).all(), "the other one is read"


def test_brushes_of_label_studio(tmp_path: Path) -> None:
    pictures(tmp_path, 3)
    painted = block(2, 3, 5, 6)
    value = {"format": "rle", "rle": bits(painted), "brushlabels": ["dog"]}
    short = {**value, "rle": bits(painted)[:12]}
    other = {**value, "rle": bits(np.ones((SIDE, SIDE + 1), np.uint8))}
    tasks = [task(f"{n}.png", "brushlabels", each) for n, each in enumerate((value, short, other))]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    data = LabelStudioMaskReader().read(str(tmp_path), ASKED)
    assert (drawn(data.samples[0]) == 2 * painted).all()
    assert [issue.kind for issue in data.issues] == ["shape_unreadable"] * 2


def test_all_shapes_of_via_are_filled(tmp_path: Path) -> None:
    pictures(tmp_path, 1)
    shapes = [
        {"name": "rect", "x": 0, "y": 0, "width": 2, "height": 1},
        {"name": "circle", "cx": 5, "cy": 5, "r": 2},
        {"name": "polyline", "all_points_x": [0, 7], "all_points_y": [0, 7]},
    ]
    regions = [{"shape_attributes": shape, "region_attributes": {"kind": "cat"}} for shape in shapes]
    found = {"a": {"filename": "0.png", "regions": regions, "file_attributes": {}}}
    (tmp_path / "a.json").write_text(json.dumps(found))
    data = ViaMaskReader().read(str(tmp_path), ASKED)
    pixels = drawn(data.samples[0])
    assert pixels[0, 0] == pixels[0, 1] == pixels[5, 5] == pixels[5, 6] == 1 and pixels[4, 1] == pixels[1, 2] == 0
    assert [issue.detail for issue in data.issues] == ["'cat' has no area"], "a line"


def test_mask_files_go_before_exports(tmp_path: Path) -> None:
    TestLabelStudioMaskReader().write(tmp_path)
    assert LabelStudioMaskReader().sniff(str(tmp_path), ASKED)
    (tmp_path / "masks").mkdir()
    for number in range(6):
        Image.fromarray(block(0, 0, 2, 2)).save(tmp_path / "masks" / f"{number}.png")
    (tmp_path / "photos").rename(tmp_path / "images")
    assert not LabelStudioMaskReader().sniff(str(tmp_path), ASKED)


def test_the_stated_size_is_kept(tmp_path: Path) -> None:
    pictures(tmp_path / "ds0" / "img", 1)
    content = {"size": {"width": 80, "height": 80}, "objects": [polygon("cat", square(20, 20, 59, 59))]}
    (tmp_path / "ds0" / "ann").mkdir()
    (tmp_path / "ds0" / "ann" / "0.png.json").write_text(json.dumps(content))
    (sample,) = SuperviselyMaskReader().read(str(tmp_path), ASKED).samples
    assert drawn(sample)[3, 3] == 1 and drawn(sample)[7, 7] == 0, "shapes of 80 x 80 on a picture of 8 x 8"
