"""Reading tables with a row for each box."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection import _columns
from autoft_detection._table import BoxTableReader

BOXES = ReadOptions(needs=("image", "boxes"))
HEAD = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


def write(folder: Path, part: str = "images", count: int = 9) -> list[scenes.Scene]:
    made = scenes.scenes(count)
    scenes.write_pictures(folder / part, made)
    return made


def rows(made: list[scenes.Scene], line: str) -> str:
    """`line` for each box, with its picture's number, sides and class."""
    return "".join(
        line.format(n=number, x1=x1, y1=y1, x2=x2, y2=y2, w=x2 - x1, h=y2 - y1, name=name) + "\n"
        for number, scene in enumerate(made)
        for x1, y1, x2, y2, name in scene.boxes
    )


def found(folder: Path) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in s.fields["boxes"]] for s in BoxTableReader().read(str(folder), BOXES).samples]


class TestBoxTableReader(ReaderContract):
    reader = BoxTableReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        made = write(folder)
        (folder / "labels.csv").write_text(HEAD + rows(made, "000{n}.png,64,48,{name},{x1},{y1},{x2},{y2}"))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        source = self.write(folder)
        (folder / "images" / "0003.png").unlink()
        return source

    def foreign(self, folder: Path) -> list[str]:
        (folder / "prices.csv").write_text("name,width,height,price\nchair,3,4,10\n")
        return [*super().foreign(folder), os.fspath(folder / "prices.csv")]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (HEAD, "000{n}.png,64,48,{name},{x1},{y1},{x2},{y2}"),
        ("image_id,width,height,bbox,label\n", '000{n},64,48,"[{x1}, {y1}, {w}.0, {h}]",{name}'),
        ("img_path,x,y,w,h,class_name\n", "C:\\set\\000{n}.png,{x1},{y1},{w},{h},{name}"),
        ("ImageID;LabelName;XMin;XMax;YMin;YMax\n", "000{n};{name};{x1};{x2};{y1};{y2}"),
        ("file,bbox_x1,bbox_y1,bbox_x2,bbox_y2,category\n", "images/000{n}.png,{x1},{y1},{x2},{y2},{name}"),
    ],
)
def test_ways_to_write_boxes(tmp_path: Path, head: str, line: str) -> None:
    made = write(tmp_path)
    (tmp_path / "boxes.csv").write_text(head + rows(made, line))
    assert found(tmp_path) == [scene.boxes for scene in made if scene.boxes]


def test_fractions_and_boxes_without_a_class_and_images_without_boxes(tmp_path: Path) -> None:
    write(tmp_path, count=2)
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax\n0000.png,0.25,0.25,0.5,1.0\n0001.png,,,,\n")
    assert found(tmp_path) == [[(16, 12, 32, 48, "object")], []]


def test_parts_come_from_columns_from_names_of_tables_and_from_folders(tmp_path: Path) -> None:
    made = write(tmp_path, count=3)
    line = "images/000{n}.png,64,48,{name},{x1},{y1},{x2},{y2}"
    for folder, name in (("a", "train_labels.csv"), ("test", "_annotations.csv"), ("c", "boxes.csv")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, count=3)
        (tmp_path / folder / name).write_text(HEAD + rows(made, line))
    whole = BoxTableReader().read(str(tmp_path), BOXES)
    assert {(s.id.split("/")[0], s.split) for s in whole.samples} == {("a", "train"), ("test", "test"), ("c", "")}
    (tmp_path / "c" / "boxes.csv").write_text(HEAD.replace("\n", ",split\n") + rows(made, line + ",valid"))
    assert {s.split for s in BoxTableReader().read(str(tmp_path / "c"), BOXES).samples} == {"val"}


def test_other_annotations_go_before_tables(tmp_path: Path) -> None:
    made = write(tmp_path, count=3)
    (tmp_path / "labels.csv").write_text(HEAD + rows(made, "000{n}.png,64,48,{name},{x1},{y1},{x2},{y2}"))
    assert BoxTableReader().sniff(str(tmp_path), BOXES)
    (tmp_path / "0000.xml").write_text("<annotation><object/></annotation>")
    assert not BoxTableReader().sniff(str(tmp_path), BOXES)


def test_what_is_no_box_is_told(tmp_path: Path) -> None:
    write(tmp_path, count=2)
    text = "0000.png,64,48,a,1,2,x,9\n0000.png,64,48,a,5,5,5,9\n0009.png,64,48,a,1,2,3,4\n0000.png,64,48,,1,2,3,4\n"
    (tmp_path / "labels.csv").write_text(HEAD + text)
    read = BoxTableReader().read(str(tmp_path), BOXES)
    assert sorted(issue.kind for issue in read.issues) == [
        "box_empty", "box_not_finite", "box_unknown_class", "missing", "no_annotation",
    ]  # fmt: skip
    with pytest.raises(DataError, match="filename, class, xmin"):
        BoxTableReader().read(str(tmp_path / "images"), BOXES)
    assert _columns.find(["image", "xmin", "ymin", "xmax"]) is None


@pytest.mark.parametrize("size", ["", ",64,48"])
def test_tables_without_names_as_retinanet_takes_them(tmp_path: Path, size: str) -> None:
    made = write(tmp_path)
    lines = rows(made, "images/000{n}.png,{x1},{y1},{x2},{y2},{name}" + size)
    (tmp_path / "annotations_train.csv").write_text(lines)
    assert BoxTableReader().sniff(os.fspath(tmp_path), BOXES)
    drawn = [[tuple(map(float, box[:4])) for box in scene.boxes] for scene in made if scene.boxes]
    assert [[tuple(map(float, row[:4])) for row in boxes] for boxes in found(tmp_path)] == drawn


@pytest.mark.parametrize("line", ["images/000{n}.png,{x2},{y2},{x1},{y1},{name}", "images/000{n}.png,a,b,c,d,{name}"])
def test_tables_without_names_and_without_corners_are_none(tmp_path: Path, line: str) -> None:
    (tmp_path / "train.csv").write_text(rows(write(tmp_path), line))
    assert not BoxTableReader().sniff(os.fspath(tmp_path), BOXES)


def test_open_images_names_its_classes_beside_the_table_and_flags_groups(tmp_path: Path) -> None:
    write(tmp_path, "train", 2)
    head = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction\n"
    text = "0000,xclick,/m/01g317,1,0.1,0.5,0.25,0.75,0,1,0,0\n0000,xclick,/m/0k4j,1,0.5,1,0,0.5,0,0,1,0\n"
    (tmp_path / "train-annotations-bbox.csv").write_text(head + text + "0001,a,/m/0k4j,1,0,1,0,1,-1,-1,-1,-1\n")
    (tmp_path / "class-descriptions-boxable.csv").write_text("/m/01g317,Person\n/m/0k4j,Car\n")
    data = BoxTableReader().read(str(tmp_path), BOXES)
    assert [sample.fields["boxes"] for sample in data.samples] == [
        [[6.4, 12.0, 32.0, 36.0, "Person"], [32.0, 0.0, 64.0, 24.0, "Car", "crowd"]],
        [[0.0, 0.0, 64.0, 48.0, "Car"]],
    ]
    assert "class-descriptions-boxable.csv names the classes" in data.recognised


@pytest.mark.parametrize(
    ("column", "cells", "flagged"),
    [
        ("crowd", ("5", "34"), (False, False)),
        ("crowd", ("0", "1"), (False, True)),
        ("difficult", ("1", "1"), (False, False)),
        ("difficult", ("", "1"), (False, True)),
        ("difficult", ("easy", "hard"), (False, False)),
        ("Difficult", ("0", "2"), (False, False)),
        ("iscrowd", ("no", "Yes"), (False, True)),
        ("iscrowd", ("-1", "1.0"), (False, True)),
        ("is_difficult", ("False", "True"), (False, True)),
    ],
)
def test_columns_are_flags_where_all_say_yes_or_no(
    tmp_path: Path, column: str, cells: tuple[str, ...], flagged: tuple[bool, ...]
) -> None:
    """`crowd` may count people."""
    write(tmp_path, count=3)
    lines = [f"000{number}.png,64,48,a,1,2,9,9,{cell}" for number, cell in enumerate(cells)]
    (tmp_path / "boxes.csv").write_text("\n".join([HEAD.strip() + f",{column}", *lines, "0002.png,64,48,,,,,,"]) + "\n")
    rows = [boxes for boxes in found(tmp_path) if boxes]
    assert [boxes[0][5:] == ("crowd",) for boxes in rows] == [*flagged]


def test_tables_tell_together_which_columns_are_flags(tmp_path: Path) -> None:
    """In a small part all numbers of people may be 0 and 1."""
    for part, cells in (("train", "57"), ("val", "01")):
        write(tmp_path, part, 2)
        lines = [f"000{number}.png,64,48,a,1,2,9,9,{cell}" for number, cell in enumerate(cells)]
        (tmp_path / f"{part}.csv").write_text("\n".join([HEAD.strip() + ",crowd", *lines]) + "\n")
    assert [len(boxes[0]) for boxes in found(tmp_path)] == [5] * 4
