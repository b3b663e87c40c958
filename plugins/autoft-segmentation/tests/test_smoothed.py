"""Masks that were drawn or resized with smoothed edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import DataError, Dataset, ReadOptions
from autoft.data import masks
from autoft_segmentation._folder import MaskFolderReader
from autoft_segmentation._task import ImageSegmentation

ASKED = ReadOptions(needs=("image", "mask"))
SIDE = 60
RED, BLUE = (200, 0, 0), (0, 0, 240)


def write(root: Path, number: int, made: Any, name: str = "masks/{}.png") -> None:
    for path, pixels in ((root / f"images/{number}.png", np.zeros((SIDE, SIDE, 3), np.uint8)), (root / name, made)):
        path = path.with_name(path.name.format(number))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def coloured(number: int, edges: bool = True) -> Any:
    """A red and a blue field on black, with a column of mixed colours beside each."""
    made = np.zeros((SIDE, SIDE, 3), np.uint8)
    made[:, 10:25], made[:, 40:50] = RED, BLUE
    for row in range(SIDE if edges else 0):
        part = (row + number) % 40 / 41
        made[row, 9], made[row, 50] = np.multiply(RED, part), np.multiply(BLUE, part)
    return made


def read(root: Path) -> Dataset:
    return MaskFolderReader().read(str(root), ASKED)


def counts(data: Dataset) -> dict[str, int]:
    classes = ImageSegmentation().schema(data).classes
    wanted = masks.labels([sample.fields["mask"] for sample in data.samples], classes)
    found = masks.decode(0, wanted, SIDE, data.samples[0].fields["image"]).pixels
    names = [*classes, *("?" for _ in range(256))]
    return {names[value]: int(number) for value, number in zip(*np.unique(found, return_counts=True), strict=True)}


def test_colours_without_names_may_have_smoothed_edges(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, number, coloured(number))
    data = read(tmp_path)
    assert "3 colours without names (#000000, #0000f0, #c80000)" in data.recognised, "refused before"
    assert "smoothed edges: each has the class of the nearest colour" in data.recognised
    found = counts(data)
    assert {*found} == {"background", "#0000f0", "#c80000"} and 15 * SIDE < found["#c80000"] < 16 * SIDE


def test_edges_between_the_colours_of_a_list_are_the_nearest_of_these(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, number, coloured(number))
    (tmp_path / "class_dict.csv").write_text("name,r,g,b\nsky,0,0,0\nroof,200,0,0\nlake,0,0,240\n")
    data = read(tmp_path)
    assert "edges are smoothed" in data.recognised and {*counts(data)} == {"sky", "roof", "lake"}


def test_a_colour_that_a_list_forgot_is_not_taken_for_an_edge(tmp_path: Path) -> None:
    for number in range(3):
        made = coloured(number)
        made[:3, :20] = (255, 255, 0)
        write(tmp_path, number, made)
    (tmp_path / "class_dict.csv").write_text("name,r,g,b\nsky,0,0,0\nroof,200,0,0\nlake,0,0,240\n")
    data = read(tmp_path)
    assert "smoothed" not in data.recognised and counts(data)["?"] > 60


PALETTE = [
    tuple(sum((number >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(3)) for channel in range(3))
    for number in range(30)
]
"""The colours of Pascal VOC's palette: many lie halfway between two others."""


def rare(number: int) -> Any:
    """Fields of four colours, and a small thing of one of 26 others."""
    draw = np.random.default_rng(number)
    made = np.array(PALETTE, np.uint8)[draw.integers(0, 4, (2, 2)).repeat(30, 0).repeat(30, 1)]
    made[10:16, 10:16] = PALETTE[4 + number % 26]
    return made


def test_rare_classes_that_fill_areas_are_no_edges(tmp_path: Path) -> None:
    for number in range(26):
        write(tmp_path, number, rare(number))
    data = read(tmp_path)
    assert "colours without names: 30 classes" in data.recognised


def test_rare_colours_that_a_list_does_not_name_have_no_class(tmp_path: Path) -> None:
    for number in range(26):
        write(tmp_path, number, rare(number))
    lines = [f"class {k},{','.join(map(str, PALETTE[k]))}" for k in (0, 1, 2, 3, 29)]
    (tmp_path / "class_dict.csv").write_text("\n".join(["name,r,g,b", *lines]))
    data = read(tmp_path)
    assert "smoothed" not in data.recognised and counts(data)["?"] == 36


def test_thin_colours_that_are_no_mixtures_are_no_edges(tmp_path: Path) -> None:
    for number in range(3):
        made = coloured(number, edges=False)
        made[:40, 9] = [(row * 5, 255, 255 - row * 5) for row in range(40)]
        write(tmp_path, number, made)
    assert "colours without names: 43 classes" in read(tmp_path).recognised


def test_photos_have_no_few_colours(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for number in range(2):
        write(tmp_path, number, draw.integers(0, 256, (SIDE, SIDE, 3)))
    with pytest.raises(DataError, match="need a colour map"):
        read(tmp_path)


def test_smoothed_masks_of_one_class_each_are_united(tmp_path: Path) -> None:
    for number in range(3):
        for place, name in enumerate(("cell_1", "cell_2", "scale_3")):
            made = np.zeros((SIDE, SIDE), np.uint8)
            made[:, 20 * place + 5 : 20 * place + 15] = 255
            made[:, 20 * place + 4] = np.arange(SIDE) * 4
            write(tmp_path, number, made, f"masks/{{}}_{name}.png")
    data = read(tmp_path)
    assert "smoothed edges" in data.recognised and data.recognised.count("cell, scale") == 1
    found = counts(data)
    assert {*found} == {"background", "cell", "scale"} and 20 * SIDE < found["cell"] < 22 * SIDE
