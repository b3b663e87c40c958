"""Reading COCO JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._coco import CocoReader

BOXES = ReadOptions(needs=("image", "boxes"))


def content(made: list[scenes.Scene], prefix: str = "") -> dict[str, Any]:
    names = sorted({box[4] for scene in made for box in scene.boxes})
    entries = []
    for number, scene in enumerate(made):
        for x1, y1, x2, y2, name in scene.boxes:
            corner = [x1, y1, x2 - x1, y2 - y1]
            entries.append(
                {"id": len(entries), "image_id": number, "category_id": 7 + names.index(name), "bbox": corner}
            )
    height, width = made[0].picture.shape[:2]
    return {
        "images": [
            {"id": n, "file_name": f"{prefix}{n:04d}.png", "width": width, "height": height} for n in range(len(made))
        ],
        "annotations": entries,
        "categories": [{"id": 7 + n, "name": name} for n, name in enumerate(names)],
    }


def write(folder: Path, part: str = "", count: int = 9, seed: int = 0, edit: Any = None) -> Path:
    made = scenes.scenes(count, seed=seed)
    scenes.write_pictures(folder / "images" / part, made)
    (folder / "annotations").mkdir(exist_ok=True)
    found = content(made)
    if edit:
        edit(found)
    target = folder / "annotations" / f"instances_{part or 'all'}2017.json"
    target.write_text(json.dumps(found))
    return target


class TestCocoReader(ReaderContract):
    reader = CocoReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        write(folder)
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        write(folder)
        (folder / "images" / "0003.png").unlink()
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "settings").mkdir()
        (folder / "settings" / "a.json").write_text('{"images": 3}')
        (folder / "list.json").write_text('["images", "annotations"]')
        return [*super().foreign(folder), os.fspath(folder / "settings"), os.fspath(folder / "list.json")]


def test_boxes_are_corners_in_pixels(tmp_path: Path) -> None:
    write(tmp_path)
    found = CocoReader().read(str(tmp_path), BOXES)
    made = scenes.scenes(9)
    assert [[tuple(row) for row in sample.fields["boxes"]] for sample in found.samples] == [s.boxes for s in made]
    assert all(sample.fields["size"] == [64, 48] for sample in found.samples)
    assert "1 image without boxes" in found.recognised and "instances_all2017.json" in found.recognised


def test_a_json_file_alone_finds_its_images(tmp_path: Path) -> None:
    assert len(CocoReader().read(str(write(tmp_path)), BOXES).samples) == 9


def test_parts_come_from_the_names_of_files(tmp_path: Path) -> None:
    write(tmp_path, "train", 9), write(tmp_path, "val", 5, seed=1)
    found = CocoReader().read(str(tmp_path), BOXES)
    assert [sample.split for sample in found.samples] == ["train"] * 9 + ["val"] * 5
    # Both parts have a 0000.png: each file means the one of its own part.
    assert found.samples[9].id == "images/val/0000.png"
    assert [tuple(row) for row in found.samples[9].fields["boxes"]] == scenes.scenes(5, seed=1)[0].boxes


def test_parts_come_from_folders(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        made = scenes.scenes(3)
        scenes.write_pictures(tmp_path / part, made)
        (tmp_path / part / "_annotations.coco.json").write_text(json.dumps(content(made)))
    found = CocoReader().read(str(tmp_path), BOXES)
    assert [sample.split for sample in found.samples] == ["train"] * 3 + ["val"] * 3


def test_captions_beside_instances_are_not_read(tmp_path: Path) -> None:
    write(tmp_path)
    other = tmp_path / "annotations" / "person_keypoints_all2017.json"
    other.write_text(json.dumps(content(scenes.scenes(9))))
    assert len(CocoReader().read(str(tmp_path), BOXES).samples) == 9


@pytest.mark.parametrize("flag", [1, "1", True])
def test_crowds_are_flagged(tmp_path: Path, flag: Any) -> None:
    write(tmp_path, edit=lambda c: c["annotations"][0].update(iscrowd=flag))
    found = CocoReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"][0][5] == "crowd"
    assert "1 crowd or difficult" in found.recognised


@pytest.mark.parametrize("flag", [0, "0", "0.0", "false", "", None, False])
def test_a_flag_may_be_a_word_that_says_no(tmp_path: Path, flag: Any) -> None:
    write(tmp_path, edit=lambda c: c["annotations"][0].update(iscrowd=flag))
    assert len(CocoReader().read(str(tmp_path), BOXES).samples[0].fields["boxes"][0]) == 5


def test_bad_entries_are_named(tmp_path: Path) -> None:
    def spoil(c: dict[str, Any]) -> None:
        box = {"id": 90, "image_id": 0, "category_id": 7}
        c["annotations"] += [
            {**box, "bbox": [1, 1, 0, 5]},
            {**box, "bbox": [1, 1, -4, 5]},
            {**box, "bbox": [float("nan"), 1, 5, 5]},
            {**box, "bbox": [100, 100, 5, 5]},
            {**box, "bbox": [50, 30, 50, 50]},
            {**box, "bbox": "none"},
            {**box, "bbox": [1, 1, 5, 5], "category_id": 99},
            {**box, "bbox": [1, 1, 5, 5], "image_id": 99},
            {**box, "bbox": [1, 1, 5, 5], "image_id": []},
            "nothing",
        ]

    write(tmp_path, edit=spoil)
    found = CocoReader().read(str(tmp_path), BOXES)
    kinds = [issue.kind for issue in found.issues]
    wanted = {"box_empty": 2, "box_not_finite": 2, "box_outside": 1, "box_clipped": 1, "box_unknown_class": 1}
    assert {kind: kinds.count(kind) for kind in wanted} == wanted
    assert kinds.count("orphan_label") == 1 and kinds.count("unreadable") == 2
    assert found.samples[0].fields["boxes"][-1][:4] == [50, 30, 64, 48], "clipped to the picture"
    assert not any(issue.drops for issue in found.issues), "the pictures stay"


def test_boxes_follow_a_resized_picture(tmp_path: Path) -> None:
    write(tmp_path, edit=lambda c: [i.update(width=128, height=96) for i in c["images"]])
    found = CocoReader().read(str(tmp_path), BOXES)
    halved = [[x / 2 for x in box[:4]] for box in scenes.scenes(9)[0].boxes]
    assert [row[:4] for row in found.samples[0].fields["boxes"]] == halved
    assert {issue.kind for issue in found.issues} == {"boxes_scaled"}


def test_no_file_outside_the_folder_is_taken(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    scenes.write_pictures(tmp_path / "secret", scenes.scenes(9))
    write(inside, edit=lambda c: c["images"][0].update(file_name="../../secret/0008.png"))
    (inside / "images" / "0008.png").unlink()
    found = CocoReader().read(str(inside), BOXES)
    assert all(Path(sample.fields["image"]).is_relative_to(inside) for sample in found.samples)
    assert [issue.subject for issue in found.issues if issue.kind == "missing"] == ["../../secret/0008.png", "0008.png"]


def test_other_tasks_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path)
    assert not CocoReader().sniff(str(tmp_path), ReadOptions(needs=("image", "label")))


def test_truncated_json_says_so(tmp_path: Path) -> None:
    target = write(tmp_path)
    target.write_text(target.read_text()[:-3])
    with pytest.raises(DataError, match="instances_all2017"):
        CocoReader().read(str(tmp_path), BOXES)


def test_ids_may_be_texts_in_one_list_and_numbers_in_another(tmp_path: Path) -> None:
    def edit(found: dict[str, Any]) -> None:
        for entry in found["annotations"]:
            entry["image_id"], entry["category_id"] = str(entry["image_id"]), float(entry["category_id"])

    write(tmp_path, edit=edit)
    found = CocoReader().read(str(tmp_path), BOXES)
    assert sum(len(s.fields["boxes"]) for s in found.samples) == sum(len(s.boxes) for s in scenes.scenes(9))
    assert not found.issues


@pytest.mark.parametrize("name", ["000{}", "C:\\set\\000{}.png", "https://h.org/up/000{}.png?d=1", "/a/?d=x/000{}.png"])
def test_pictures_are_named_in_many_ways(tmp_path: Path, name: str) -> None:
    def edit(found: dict[str, Any]) -> None:
        for number, entry in enumerate(found["images"]):
            entry["file_name"] = name.format(number)

    write(tmp_path, edit=edit)
    assert len(CocoReader().read(str(tmp_path), BOXES).samples) == 9


def test_a_file_of_all_images_beside_the_parts_adds_none_twice(tmp_path: Path) -> None:
    whole = write(tmp_path)
    found = json.loads(whole.read_text())
    for part, kept in (("train", found["images"][:6]), ("val", found["images"][6:])):
        ids = {entry["id"] for entry in kept}
        own = [entry for entry in found["annotations"] if entry["image_id"] in ids]
        whole.with_name(f"instances_{part}.json").write_text(json.dumps({**found, "images": kept, "annotations": own}))
    assert [s.split for s in CocoReader().read(str(tmp_path), BOXES).samples] == ["train"] * 6 + ["val"] * 3


def test_a_part_that_nobody_has_annotated_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "train"), write(tmp_path, "test", 3, edit=lambda found: found["annotations"].clear())
    found = CocoReader().read(str(tmp_path), BOXES)
    assert {s.split for s in found.samples} == {"train"}
    assert [(i.kind, i.subject) for i in found.issues] == [("unlabelled_part", "test")]


def test_polygons_stand_in_for_absent_boxes(tmp_path: Path) -> None:
    def edit(found: dict[str, Any]) -> None:
        for entry in found["annotations"]:
            x, y, width, height = entry.pop("bbox")
            entry["segmentation"] = [[x, y, x + width, y, x + width, y + height]]

    write(tmp_path, edit=edit)
    found = CocoReader().read(str(tmp_path), BOXES)
    assert [[tuple(row) for row in s.fields["boxes"]] for s in found.samples] == [s.boxes for s in scenes.scenes(9)]
