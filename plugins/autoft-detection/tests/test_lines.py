"""Boxes in lines of text: VisDrone and WIDER FACE."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from autoft.api import DataError, Dataset, ReadOptions
from autoft_detection._createml import CreateMLReader
from autoft_detection._kitti import KittiReader
from autoft_detection._lines import VisDroneReader, WiderReader

ASKED = ReadOptions(needs=("image", "boxes"))


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 50)).save(path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read(reader: VisDroneReader | WiderReader | KittiReader | CreateMLReader, folder: Path) -> Dataset:
    assert reader.sniff(str(folder), ASKED)
    return reader.read(str(folder), ASKED)


@pytest.fixture
def drone(tmp_path: Path) -> Path:
    for part in ("train", "val", "test-dev"):
        base = tmp_path / f"VisDrone2019-DET-{part}"
        for number in range(2):
            image(base / f"images/{part}_{number}.jpg")
            write(
                base / f"annotations/{part}_{number}.txt", "1,2,10,8,1,4,0,0\n30,30,6,5,1,1,0,2,\n20,20,10,8,0,0,0,0\n"
            )
    return tmp_path


def test_visdrone(drone: Path) -> None:
    found = read(VisDroneReader(), drone)
    assert [sample.split for sample in found.samples] == ["test", "test", "train", "train", "val", "val"]
    assert found.samples[0].fields["boxes"][:2] == [[1, 2, 11, 10, "car"], [30, 30, 36, 35, "pedestrian"]]
    # Nothing of any class is learned or scored in an ignored region.
    crowds = found.samples[0].fields["boxes"][2:]
    assert crowds == [[20, 20, 30, 28, name, "crowd"] for name in ("car", "pedestrian")]
    assert "others are neither learned nor scored" in found.recognised and not found.issues


def test_strange_lines_of_visdrone_are_named(drone: Path) -> None:
    base = drone / "VisDrone2019-DET-train/annotations"
    write(base / "train_0.txt", "1,2,10,8,1,4,0,0\nno box\n1,2,10,8,1,44,0,0\n")
    write(base / "lost.txt", "1,2,10,8,1,4,0,0\n")
    write(base / "train_1.txt", "")
    found = read(VisDroneReader(), drone)
    assert {issue.kind for issue in found.issues} == {"box_unreadable", "orphan_label", "box_unknown_class"}
    assert [sample.fields["boxes"] for sample in found.samples if sample.id.endswith("train_1.jpg")] == [[]]


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.1 0.1", "1,2,3,4,car", "how it was made"])
def test_other_texts_are_not_visdrone(tmp_path: Path, line: str) -> None:
    image(tmp_path / "images/1.jpg")
    write(tmp_path / "annotations/1.txt", f"{line}\n")
    assert not VisDroneReader().sniff(str(tmp_path), ASKED)
    with pytest.raises(DataError, match="eight numbers in each line"):
        VisDroneReader().read(str(tmp_path), ASKED)


@pytest.mark.parametrize("zeros", ["0 0 0 0 0 0 0 0 0 0\n", ""])
def test_wider_faces(tmp_path: Path, zeros: str) -> None:
    for part in ("train", "val"):
        lines = ""
        for number, faces in enumerate(
            ("2\n1 2 10 12 0 0 0 0 0 0\n30 20 8 8 0 0 0 1 0 0\n", f"0\n{zeros}", "1\n4 4 5 6\n")
        ):
            image(tmp_path / f"WIDER_{part}/images/0--Parade/{part}_{number}.jpg")
            lines += f"0--Parade/{part}_{number}.jpg\n{faces}"
        write(tmp_path / f"wider_face_split/wider_face_{part}_bbx_gt.txt", lines + f"0--Parade/lost.jpg\n0\n{zeros}")
    write(tmp_path / "wider_face_split/readme.txt", "how it was made\n")
    found = read(WiderReader(), tmp_path)
    assert [sample.split for sample in found.samples] == ["train"] * 3 + ["val"] * 3
    assert [sample.fields["boxes"] for sample in found.samples[:3]] == [
        [[1, 2, 11, 14, "face"], [30, 20, 38, 28, "face", "difficult"]],
        [],
        [[4, 4, 9, 10, "face"]],
    ]
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("missing", "0--Parade/lost.jpg")] * 2


def test_other_lists_are_not_wider(tmp_path: Path) -> None:
    image(tmp_path / "a.jpg")
    write(tmp_path / "my_bbx_gt.txt", "a.jpg\nmany\n1 2 3 4\n")
    assert not WiderReader().sniff(str(tmp_path), ASKED)
    with pytest.raises(DataError, match="lists such as wider_face"):
        WiderReader().read(str(tmp_path), ASKED)


def test_kitti(tmp_path: Path) -> None:
    numbers = "1.67 1.87 3.69 -16.53 2.39 58.49 1.57"
    for number in range(3):
        image(tmp_path / f"training/image_2/{number:06d}.png")
        lines = f"Car 0.00 0 1.85 10.00 12.50 30.00 30.00 {numbers}\nDontCare -1 -1 -10 1.0 2.0 5.0 6.0"
        lines += " -1 -1 -1 -1000 -1000 -1000 -10\n"
        write(tmp_path / f"training/label_2/{number:06d}.txt", lines + "no box\n" * (number == 2))
    image(tmp_path / "testing/image_2/000000.png")
    found = read(KittiReader(), tmp_path)
    assert {sample.id for sample in found.samples} == {f"training/image_2/{number:06d}.png" for number in range(3)}
    assert {sample.split for sample in found.samples} == {""}
    assert found.samples[0].fields["boxes"] == [[10, 12.5, 30, 30, "Car"], [1, 2, 5, 6, "Car", "crowd"]]
    assert [issue.kind for issue in found.issues] == ["box_unreadable"]


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.1 0.1", "Car 1 2 3 4"])
def test_other_texts_are_not_kitti(tmp_path: Path, line: str) -> None:
    image(tmp_path / "images/1.jpg")
    write(tmp_path / "labels/1.txt", f"{line}\n")
    assert not KittiReader().sniff(str(tmp_path), ASKED)
    with pytest.raises(DataError, match="14 numbers in each line"):
        KittiReader().read(str(tmp_path), ASKED)


def test_createml(tmp_path: Path) -> None:
    thing = '{"label": "cat", "coordinates": {"x": 20, "y": 15, "width": 10, "height": 6}}'
    broken = '{"label": "cat", "coordinates": {"x": "here"}}'
    for part in ("train", "valid"):
        image(tmp_path / part / f"{part}.jpg")
        image(tmp_path / part / f"{part}_empty.jpg")
        text = f'[{{"image": "{part}.jpg", "annotations": [{thing}, {broken}]}}, '
        text += f'{{"image": "{part}_empty.jpg", "annotations": []}}, {{"image": "lost.jpg", "annotations": []}}]'
        write(tmp_path / part / "_annotations.createml.json", text)
    found = read(CreateMLReader(), tmp_path)
    assert [(sample.split, sample.fields["boxes"]) for sample in found.samples] == [
        ("train", [[15, 12, 25, 18, "cat"]]),
        ("train", []),
        ("val", [[15, 12, 25, 18, "cat"]]),
        ("val", []),
    ]
    assert sorted(issue.kind for issue in found.issues) == ["box_not_finite"] * 2 + ["missing"] * 2


@pytest.mark.parametrize("text", ['{"images": [], "annotations": []}', '[{"image": "a.jpg", "label": 3}]', "[1, 2"])
def test_other_json_is_not_createml(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.json", text)
    assert not CreateMLReader().sniff(str(tmp_path), ASKED)
    with pytest.raises(DataError, match="JSON files of CreateML"):
        CreateMLReader().read(str(tmp_path), ASKED)
