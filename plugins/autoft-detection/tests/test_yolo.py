"""Reading YOLO text files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._yolo import YoloReader

BOXES = ReadOptions(needs=("image", "boxes"))
NAMES = ["blue_ring", "green_square", "red_disc"]


def line(box: tuple[int, int, int, int, str], width: int = 64, height: int = 48) -> str:
    x1, y1, x2, y2, name = box
    sides = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return f"{NAMES.index(name)} " + " ".join(f"{side:.6f}" for side in sides)


def write(folder: Path, images: str = "images", labels: str = "labels", count: int = 9) -> list[scenes.Scene]:
    """A picture without boxes gets no text file."""
    made = scenes.scenes(count)
    (folder / labels).mkdir(parents=True, exist_ok=True)
    for file, scene in zip(scenes.write_pictures(folder / images, made), made, strict=True):
        if scene.boxes:
            (folder / labels / f"{file.stem}.txt").write_text("\n".join(map(line, scene.boxes)) + "\n")
    return made


class TestYoloReader(ReaderContract):
    reader = YoloReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        write(folder)
        (folder / "data.yaml").write_text(f"train: images\nnames: {NAMES}\n")
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        write(folder)
        (folder / "images" / "0003.png").unlink()
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        scenes.write_pictures(folder / "captions", scenes.scenes(2))
        (folder / "captions" / "0000.txt").write_text("A red disc beside a green square.\n")
        (folder / "compose.yaml").write_text("services: {}\n")
        return [*super().foreign(folder), os.fspath(folder / "captions"), os.fspath(folder / "compose.yaml")]


def test_fractions_become_corners(tmp_path: Path) -> None:
    made = write(tmp_path)
    (tmp_path / "classes.txt").write_text("\n".join(NAMES))
    found = YoloReader().read(str(tmp_path), BOXES)
    assert [[(*map(round, row[:4]), row[4]) for row in s.fields["boxes"]] for s in found.samples] == [
        s.boxes for s in made
    ]
    assert "1 image without boxes" in found.recognised


@pytest.mark.parametrize(
    ("images", "labels"), [("a", "a"), ("train/images", "train/labels"), ("images/train", "labels/train")]
)
def test_places_of_labels(tmp_path: Path, images: str, labels: str) -> None:
    made = write(tmp_path, images, labels)
    found = YoloReader().read(str(tmp_path), BOXES)
    assert sum(len(s.fields["boxes"]) for s in found.samples) == sum(len(s.boxes) for s in made)
    assert {s.split for s in found.samples} == ({"train"} if "train" in images else {""})
    assert "their numbers do" in found.recognised, "no file names the classes"


@pytest.mark.parametrize(
    "names", ["[blue_ring, green_square, red_disc]", "{0: blue_ring, 1: green_square, 2: red_disc}"]
)
def test_data_yaml(tmp_path: Path, names: str) -> None:
    write(tmp_path / "set", "images/a", "labels/a", 4), write(tmp_path / "set", "images/b", "labels/b", 3)
    write(tmp_path / "set", "images/unused", "labels/unused", 3)
    text = f"path: set\ntrain: [images/a]\nval: images/b\ntest:\nnames: {names}\n"
    (tmp_path / "data.yaml").write_text(text)
    for source in (tmp_path, tmp_path / "data.yaml"):
        found = YoloReader().read(str(source), BOXES)
        assert [s.split for s in found.samples] == ["train"] * 4 + ["val"] * 3
        assert {row[4] for s in found.samples for row in s.fields["boxes"]} <= set(NAMES)


def test_too_many_steps_up_and_lists_of_images(tmp_path: Path) -> None:
    write(tmp_path, "train/images", "train/labels", 3), write(tmp_path, "valid/images", "valid/labels", 2)
    (tmp_path / "val.txt").write_text("./valid/images/0001.png\nvalid/images/0009.png\n")
    (tmp_path / "data.yaml").write_text(f"train: ../train/images\nval: val.txt\ntest: ../test/images\nnames: {NAMES}\n")
    found = YoloReader().read(str(tmp_path), BOXES)
    assert [s.id for s in found.samples] == [f"train/images/000{n}.png" for n in range(3)] + ["valid/images/0001.png"]
    assert sorted(i.kind for i in found.issues) == ["missing", "missing_part"]


@pytest.mark.parametrize("path", ["", "path: /kaggle/input/set\n", "path: ../datasets/set\n"])
@pytest.mark.parametrize("part", ["/content/set-1/{}/images", "C:\\set\\{}\\images", "{}/images"])
def test_paths_of_another_machine_lead_to_what_lies_here(tmp_path: Path, path: str, part: str) -> None:
    for split in ("train", "valid"):
        write(tmp_path / "set", f"{split}/images", f"{split}/labels", 3)
    parts = "".join(f"{key}: {part.format(folder)}\n" for key, folder in (("train", "train"), ("val", "valid")))
    (tmp_path / "set" / "data.yaml").write_text(f"{path}{parts}names: {NAMES}\n")
    for source in (tmp_path, tmp_path / "set", tmp_path / "set" / "data.yaml"):
        found = YoloReader().read(str(source), BOXES)
        assert [s.split for s in found.samples] == ["train"] * 3 + ["val"] * 3 and not found.issues


def test_wrong_parts_give_way_to_folders_of_that_name_and_are_named(tmp_path: Path) -> None:
    write(tmp_path, "images/train", "labels/train", 3), write(tmp_path, "images/val", "labels/val", 3)
    (tmp_path / "data.yaml").write_text(f"train: set/training\nval: set/checking\nnames: {NAMES}\n")
    found = YoloReader().read(str(tmp_path), BOXES)
    assert [s.split for s in found.samples] == ["train"] * 3 + ["val"] * 3
    assert [i.subject for i in found.issues if i.kind == "missing_part"] == ["set/training", "set/checking"]


@pytest.mark.parametrize(
    ("images", "labels"),
    [("Images", "Labels"), ("pics", "annotations"), ("train_images", "train_labels"), ("images/train2017", "txt")],
)
def test_labels_in_unusual_places_are_found_by_their_names(tmp_path: Path, images: str, labels: str) -> None:
    made = write(tmp_path, images, labels)
    found = YoloReader().read(str(tmp_path), BOXES)
    assert sum(len(s.fields["boxes"]) for s in found.samples) == sum(len(s.boxes) for s in made)
    assert {s.split for s in found.samples} == ({"train"} if "train" in images else {""})


def test_a_part_without_labels_is_left_out_and_never_borrows_those_of_another(tmp_path: Path) -> None:
    write(tmp_path, "train/images", "train/labels", 4)
    scenes.write_pictures(tmp_path / "test" / "images", scenes.scenes(3))
    found = YoloReader().read(str(tmp_path), BOXES)
    assert {s.split for s in found.samples} == {"train"}
    assert [(i.kind, i.subject) for i in found.issues] == [("unlabelled_part", "test")]
    asked = YoloReader().read(str(tmp_path), ReadOptions(needs=("image", "boxes"), optional=("boxes",)))
    assert sum(s.split == "test" for s in asked.samples) == 3, "what is only looked at stays"


def test_lists_of_darknet_are_parts(tmp_path: Path) -> None:
    write(tmp_path, "obj_train_data", "obj_train_data", 5)
    (tmp_path / "obj.names").write_text("\n".join(NAMES))
    (tmp_path / "train.txt").write_text("".join(f"data/obj_train_data/000{n}.png\n" for n in range(3)))
    (tmp_path / "valid.txt").write_text("".join(f"/mnt/set/obj_train_data/000{n}.png\n" for n in (3, 4)))
    assert [s.split for s in YoloReader().read(str(tmp_path), BOXES).samples] == ["train"] * 3 + ["val"] * 2


def test_a_yaml_without_parts_names_the_classes(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "data.yml").write_text(f"nc: 3\nnames: {NAMES}\n")
    found = YoloReader().read(str(tmp_path), BOXES)
    assert {row[4] for s in found.samples for row in s.fields["boxes"]} <= set(NAMES)


def test_points_of_skeletons_are_no_polygons(tmp_path: Path) -> None:
    write(tmp_path, count=1)
    (tmp_path / "labels").mkdir(exist_ok=True)
    (tmp_path / "labels" / "0000.txt").write_text("0 0.5 0.5 0.5 0.5 0.1 0.1 2 0.9 0.9 2\n")
    (tmp_path / "data.yaml").write_text(f"train: images\nkpt_shape: [2, 3]\nnames: {NAMES}\n")
    assert YoloReader().read(str(tmp_path), BOXES).samples[0].fields["boxes"] == [[16, 12, 48, 36, "blue_ring"]]


def test_absent_parts_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(f"train: nowhere\nnames: {NAMES}\n")
    with pytest.raises(DataError, match="nowhere"):
        YoloReader().read(str(tmp_path), BOXES)


def test_lines_of_other_kinds(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "data.yaml").write_text(f"train: images\nnames: {NAMES}\n")
    lines = [
        "0 0.5 0.5 0.5 0.5 0.9",  # with a confidence
        "1 0.25 0.25 0.75 0.25 0.5 0.75",  # a polygon
        "7 0.5 0.5 0.1 0.1",  # no such class
        "0 nan 0.5 0.1 0.1",
        "0 0.5 0.5 0 0.1",
        "0 1.5 0.5 0.1 0.1",
        "some words",
    ]
    (tmp_path / "labels" / "0000.txt").write_text("\n".join(lines))
    (tmp_path / "labels" / "lost.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    found = YoloReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"] == [[16, 12, 48, 36, "blue_ring"], [16, 12, 48, 36, "green_square"]]
    wanted = ["box_empty", "box_not_finite", "box_outside", "box_unknown_class", "box_unreadable", "orphan_label"]
    assert sorted(issue.kind for issue in found.issues) == wanted


@pytest.mark.shared
def test_kangaroos(shared: Path) -> None:
    found = YoloReader().read(str(shared / "data" / "objdet__kangaroo_yolo"), BOXES)
    boxes = {
        split: sum(len(s.fields["boxes"]) for s in found.samples if s.split == split) for split in ("train", "val")
    }
    assert len(found.samples) == 164 and boxes == {"train": 210, "val": 56}
