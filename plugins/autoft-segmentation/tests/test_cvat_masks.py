"""CVAT's XML as masks: the same shapes that detection reads, in their own outlines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from autoft.api import ReadOptions
from autoft.data import masks
from autoft.testing import ReaderContract
from autoft_segmentation._drawn import CvatMaskReader

ASKED = ReadOptions(needs=("image", "mask"))
SIDE = 8
Array = np.ndarray[Any, np.dtype[Any]]
SQUARE = '<polygon label="cat" points="1,1;4,1;4,4;1,4" z_order="0"/>'
BRUSH = '<mask label="dog" rle="0, 2, 1, 1" left="2" top="5" width="2" height="2"/>'


def write(folder: Path, *images: str) -> str:
    (folder / "images").mkdir(parents=True)
    text = ""
    for number, shapes in enumerate(images):
        noise = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "images" / f"{number}.png")
        text += f'<image id="{number}" name="{number}.png" width="{SIDE}" height="{SIDE}">{shapes}</image>'
    (folder / "annotations.xml").write_text(f"<annotations><version>1.1</version>{text}</annotations>")
    return os.fspath(folder)


def drawn(sample: Any) -> Array:
    wanted = masks.labels([sample.fields["mask"]], ("background", "cat", "dog"))
    return np.asarray(masks.decode(0, wanted, SIDE, sample.fields["image"]).pixels)


class TestCvatMaskReader(ReaderContract):
    reader = CvatMaskReader
    options = ASKED
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        return write(folder, *[SQUARE, BRUSH, SQUARE + BRUSH] * 3)

    def write_damaged(self, folder: Path) -> str:
        write(folder, *[SQUARE, BRUSH, SQUARE + BRUSH] * 3)
        (folder / "images" / "3.png").unlink()
        return os.fspath(folder)


def test_brushes_and_ellipses_are_drawn_in_the_order_that_cvat_tells(tmp_path: Path) -> None:
    higher = '<ellipse label="dog" cx="2" cy="2" rx="1" ry="1" z_order="1"/>'
    folder = write(tmp_path, SQUARE + BRUSH, higher + SQUARE, '<points label="cat" points="1,1"/>')
    found = CvatMaskReader().read(folder, ASKED)
    brush, covered, empty = map(drawn, found.samples)
    wanted = np.zeros((SIDE, SIDE), int)
    wanted[1:4, 1:4], wanted[5, 2:4], wanted[6, 3] = 1, 2, 2
    assert np.array_equal(brush, wanted)
    assert covered[2, 2] == 2 and covered[3, 3] == 1 and not empty.any()
    assert [issue.kind for issue in found.issues] == ["shape_without_area"]
