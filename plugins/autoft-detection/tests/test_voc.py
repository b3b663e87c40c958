"""Reading Pascal VOC."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._voc import VocReader

BOXES = ReadOptions(needs=("image", "boxes"))


def thing(name: str, box: tuple[object, ...], extra: str = "") -> str:
    corners = "".join(f"<{key}>{side}</{key}>" for key, side in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name>{extra}<bndbox>{corners}</bndbox></object>"


def annotation(things: str, name: str = "wrong.jpg", size: tuple[int, int] = (64, 48)) -> str:
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{sides}{things}</annotation>"


def write(folder: Path, count: int = 9) -> list[scenes.Scene]:
    """Corners count from 1, as VOC's do: x2 and y2 are the last pixels inside, which from 0 is the edge behind them."""
    made = scenes.scenes(count)
    (folder / "Annotations").mkdir(parents=True)
    for file, scene in zip(scenes.write_pictures(folder / "JPEGImages", made), made, strict=True):
        things = "".join(thing(name, (x1 + 1, y1 + 1, x2, y2)) for x1, y1, x2, y2, name in scene.boxes)
        (folder / "Annotations" / f"{file.stem}.xml").write_text(annotation(things))
    return made


class TestVocReader(ReaderContract):
    reader = VocReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        write(folder)
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        write(folder)
        (folder / "JPEGImages" / "0003.png").unlink()
        (folder / "Annotations" / "0002.xml").write_text("<annotation><object>")
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "maven").mkdir()
        (folder / "maven" / "pom.xml").write_text("<project/>")
        return [*super().foreign(folder), os.fspath(folder / "maven")]


def test_corners_count_from_one(tmp_path: Path) -> None:
    made = write(tmp_path)
    found = VocReader().read(str(tmp_path), BOXES)
    assert [[tuple(row) for row in sample.fields["boxes"]] for sample in found.samples] == [s.boxes for s in made]
    assert not found.issues


def test_a_zero_among_the_corners_means_that_they_count_from_zero(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "Annotations" / "0000.xml").write_text(annotation(thing("a", (0, 5, 10, 10))))
    found = VocReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"] == [[0, 5, 10, 10, "a"]]
    assert "corners count from 0" in found.recognised


def test_parts_come_from_lists(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    lists = {"trainval": "0000\n0001\n0002\n", "train": "0000\n0001\n", "val": "0002\n", "test": "0003\n0004\n"}
    for name, text in (lists | {"red_disc_train": "0005 1\n"}).items():
        (tmp_path / "ImageSets" / "Main" / f"{name}.txt").write_text(text)
    found = VocReader().read(str(tmp_path), BOXES)
    assert [sample.split for sample in found.samples] == ["train", "train", "val", "test", "test"]
    assert sum(issue.kind == "unlisted" for issue in found.issues) == 4
    assert "train.txt, val.txt, test.txt" in found.recognised and "trainval" not in found.recognised


def test_years_side_by_side_have_lists_of_their_own(tmp_path: Path) -> None:
    """Only those of the first were read, and the other's pictures were left out. Numbers may come in both."""
    for year, lists in (("VOC2007", {"train": "0000", "val": "0001"}), ("VOC2012", {"train": "0001", "test": "0002"})):
        write(tmp_path / "VOCdevkit" / year, 4)
        (tmp_path / "VOCdevkit" / year / "ImageSets" / "Main").mkdir(parents=True)
        for name, text in lists.items():
            (tmp_path / "VOCdevkit" / year / "ImageSets" / "Main" / f"{name}.txt").write_text(text)
    found = VocReader().read(str(tmp_path), BOXES)
    assert [(Path(s.id).parts[1], Path(s.id).stem, s.split) for s in found.samples] == [
        ("VOC2007", "0000", "train"), ("VOC2007", "0001", "val"),
        ("VOC2012", "0001", "train"), ("VOC2012", "0002", "test"),
    ]  # fmt: skip
    assert sum(issue.kind == "unlisted" for issue in found.issues) == 4
    assert "parts from train.txt, val.txt, test.txt" in found.recognised


def test_xml_beside_the_images_in_folders_of_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for file in scenes.write_pictures(tmp_path / part, scenes.scenes(2)):
            file.with_suffix(".xml").write_text(annotation(thing(part, (2, 2, 9, 9))))
    found = VocReader().read(str(tmp_path), BOXES)
    assert [(s.split, s.fields["boxes"][0][4]) for s in found.samples] == [("test", "test")] * 2 + [
        ("train", "train")
    ] * 2


def test_bad_things_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    things = [
        thing("dot", (504, 337, 504, 337)),
        thing("cat", (5, 5, 9, 9), "<difficult>1</difficult>"),
        thing("", (5, 5, 9, 9)),
        thing("cat", ("x", 5, 9, 9)),
    ]
    (tmp_path / "Annotations" / "0000.xml").write_text(annotation("".join(things)))
    (tmp_path / "Annotations" / "0001.xml").unlink()
    found = VocReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"] == [[4, 4, 9, 9, "cat", "difficult"]]
    kinds = sorted(issue.kind for issue in found.issues)
    assert kinds == ["box_empty", "box_not_finite", "box_unknown_class", "no_annotation"]


def test_corners_the_wrong_way_round_are_put_right(tmp_path: Path) -> None:
    """Drawn from the right to the left, or from below; they were images without boxes before."""
    write(tmp_path, 1)
    things = [thing("cat", (30, 5, 9, 20)), thing("cat", (30, 20, 9, 5)), thing("dot", (30, 5, 9, 5))]
    (tmp_path / "Annotations" / "0000.xml").write_text(annotation("".join(things)))
    found = VocReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"] == [[8, 4, 30, 20, "cat"]] * 2
    assert [issue.kind for issue in found.issues] == ["box_empty", "box_corners_swapped", "box_corners_swapped"]


def test_boxes_of_a_picture_that_exif_turns(tmp_path: Path) -> None:
    """A white patch near the left lower corner of the picture as stored; EXIF turns it by 90 degrees."""
    (tmp_path / "a").mkdir()
    stored = Image.new("RGB", (60, 40))
    stored.paste((255, 255, 255), (5, 30, 15, 38))
    exif = Image.Exif()
    exif[0x112] = 6
    stored.save(tmp_path / "a" / "x.png", exif=exif)
    upright = stored.transpose(Image.Transpose.ROTATE_270)
    (tmp_path / "a" / "x.xml").write_text(annotation(thing("patch", (6, 31, 15, 38)), size=(60, 40)))
    found = VocReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["size"] == [40, 60]
    assert tuple(found.samples[0].fields["boxes"][0][:4]) == upright.getbbox()
    assert [issue.kind for issue in found.issues] == ["boxes_turned"]
    left, top, right, bottom = upright.getbbox() or (0, 0, 0, 0)
    (tmp_path / "a" / "x.xml").write_text(annotation(thing("patch", (left + 1, top + 1, right, bottom)), size=(40, 60)))
    again = VocReader().read(str(tmp_path), BOXES)
    assert again.samples == found.samples and not again.issues, "annotated upright: nothing to turn"


@pytest.mark.parametrize(
    "evil",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY x "&b;&b;&b;">]>',
    ],
)
def test_entities_are_refused(tmp_path: Path, evil: str) -> None:
    write(tmp_path)
    (tmp_path / "Annotations" / "0000.xml").write_text(evil + annotation(thing("&x;", (2, 2, 9, 9))))
    found = VocReader().read(str(tmp_path), BOXES)
    assert [(issue.kind, issue.subject) for issue in found.issues if issue.drops] == [("unreadable", "0000.xml")]
    for file in (tmp_path / "Annotations").glob("*.xml"):
        file.write_text(evil + annotation(""))
    with pytest.raises(DataError, match="DTDForbidden"):
        VocReader().read(str(tmp_path), BOXES)


@pytest.mark.parametrize("line", ["my {}", "my {}.png", "JPEGImages/my {}.png", "my{}  1"])
@pytest.mark.parametrize("folder", ["ImageSets/Main", "ImageSets"])
def test_lists_name_pictures_in_many_ways(tmp_path: Path, line: str, folder: str) -> None:
    write(tmp_path, 4)
    for file in (*tmp_path.glob("JPEGImages/*"), *tmp_path.glob("Annotations/*")):
        file.rename(file.with_name(("my " if "my " in line else "my") + file.name))
    (tmp_path / folder).mkdir(parents=True)
    for name, numbers in (("train", "01"), ("test", "23")):
        lines = [line.format(f"000{number}") for number in numbers]
        (tmp_path / folder / f"{name}.txt").write_text("\n".join(lines))
    assert [s.split for s in VocReader().read(str(tmp_path), BOXES).samples] == ["train", "train", "test", "test"]


def test_lists_that_name_no_file_are_not_used_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path, 3)
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "train.txt").write_text("2007_000001\n")
    found = VocReader().read(str(tmp_path), BOXES)
    assert len(found.samples) == 3 and [issue.kind for issue in found.issues] == ["missing_part"]


def test_width_and_height_that_are_swapped_do_not_move_boxes(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "Annotations" / "0000.xml").write_text(annotation(thing("a", (11, 6, 60, 40)), size=(48, 64)))
    found = VocReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"] == [[10, 5, 60, 40, "a"]]
    assert [issue.kind for issue in found.issues] == ["size_swapped"]


def test_a_picture_may_be_named_without_its_suffix(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "Annotations" / "0000.xml").unlink()
    (tmp_path / "Annotations" / "first.xml").write_text(annotation(thing("a", (11, 6, 60, 40)), "0000"))
    assert [sample.id for sample in VocReader().read(str(tmp_path), BOXES).samples] == ["JPEGImages/0000.png"]


def test_for_prediction_a_folder_is_not_claimed(tmp_path: Path) -> None:
    write(tmp_path, 3)
    asked = ReadOptions(needs=("image", "boxes"), optional=("boxes",))
    assert VocReader().sniff(str(tmp_path), BOXES) and not VocReader().sniff(str(tmp_path), asked)


@pytest.mark.shared
def test_blood_cells(shared: Path) -> None:
    found = VocReader().read(str(shared / "data" / "objdet__bccd_voc"), BOXES)
    names = [row[4] for sample in found.samples for row in sample.fields["boxes"]]
    # Its README counts 4155 red cells, two of them without area.
    assert {name: names.count(name) for name in set(names)} == {"WBC": 372, "RBC": 4153, "Platelets": 361}
    splits = [sample.split for sample in found.samples]
    assert {split: splits.count(split) for split in set(splits)} == {"train": 205, "val": 87, "test": 72}
    assert [issue.kind for issue in found.issues] == ["box_empty"] * 2
