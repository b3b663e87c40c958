"""Sets of masks that are known by how they lie: Pascal VOC and the Oxford pets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoft.api import Dataset, ReadOptions
from autoft_segmentation._folder import MaskFolderReader
from autoft_segmentation._task import ImageSegmentation


def read(folder: Path) -> Dataset:
    return MaskFolderReader().read(str(folder), ReadOptions(needs=("image", "mask")))


def write(folder: Path, images: str, masks: str, values: tuple[int, ...], count: int = 6) -> list[str]:
    rng = np.random.default_rng(0)
    names = [f"pic_{number}" for number in range(count)]
    for part in (images, masks):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(folder / images / f"{name}.jpg")
        mask = np.full((20, 24), values[0], np.uint8)
        for place, value in enumerate(values[1:]):
            mask[4 + 3 * place : 7 + 3 * place, 2:20] = value
        Image.fromarray(mask).save(folder / masks / f"{name}.png")
    return names


def annotated(folder: Path, *classes: str, count: int = 6) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    things = "".join(f"<object><name>{name}</name><part><name>head</name></part></object>" for name in classes)
    for number in range(count if classes else 0):
        (folder / f"pic_{number}.xml").write_text(f"<annotation>{things}</annotation>")


@pytest.mark.parametrize(
    ("home", "boxes", "known"),
    [
        ("VOCdevkit/VOC2012", ("person", "dog"), True),
        ("VOCdevkit/VOC2012", ("mask", "dog"), False),  # many data of other classes lie in such folders
        ("VOCdevkit/VOC2012", (), False),
        ("mine", ("person", "dog"), False),
    ],
)
def test_classes_of_pascal_voc_have_its_names(tmp_path: Path, home: str, boxes: tuple[str, ...], known: bool) -> None:
    write(tmp_path / home, "JPEGImages", "SegmentationClass", (0, 15, 12, 255))
    annotated(tmp_path / home / "Annotations", *boxes)
    found = read(tmp_path)
    classes = ImageSegmentation().schema(found).classes
    assert ("Pascal VOC's own list" in found.recognised) is known
    if known:
        assert (len(classes), classes[0], classes[12], classes[15]) == (21, "background", "dog", "person")
    else:
        assert classes == ("class 0", "class 12", "class 15")


def test_numbers_that_are_no_classes_of_their_boxes_are_not_named_as_pascal_voc_has_them(tmp_path: Path) -> None:
    """Data of one's own in VOC's layout, of people and dogs, are numbered from 1: 1 is no aeroplane there."""
    write(tmp_path / "VOC2007", "JPEGImages", "SegmentationClass", (0, 1, 2))
    annotated(tmp_path / "VOC2007/Annotations", "person", "dog")
    assert ImageSegmentation().schema(read(tmp_path)).classes == ("class 0", "class 1", "class 2")


def test_masks_of_pascal_voc_without_boxes_of_their_own_tell_nothing(tmp_path: Path) -> None:
    names = write(tmp_path / "VOC2007", "JPEGImages", "SegmentationClass", (0, 1, 2), count=5)
    annotated(tmp_path / "VOC2007/Annotations", "person", "dog", count=0)
    (tmp_path / "VOC2007/Annotations/other.xml").write_text("<object><name>person</name></object>")
    assert ImageSegmentation().schema(read(tmp_path)).classes == ("class 0", "class 1", "class 2")
    for place, name in enumerate(names):  # one file that lacks a box is an oversight
        boxes = ("aeroplane", "bicycle")[: 1 if not place else 2]
        text = "".join(f"<object><name>{box}</name></object>" for box in boxes)
        (tmp_path / "VOC2007/Annotations" / f"{name}.xml").write_text(text)
    assert ImageSegmentation().schema(read(tmp_path)).classes[1:3] == ("aeroplane", "bicycle")


def test_a_list_of_classes_goes_before_the_names_of_pascal_voc(tmp_path: Path) -> None:
    write(tmp_path / "VOC2012", "JPEGImages", "SegmentationClass", (0, 1))
    annotated(tmp_path / "VOC2012/Annotations", "person")
    (tmp_path / "VOC2012" / "class_names.txt").write_text("_background_\ncrack\n")
    assert ImageSegmentation().schema(read(tmp_path)).classes == ("background", "crack")


def test_lists_of_the_oxford_pets_are_its_parts(tmp_path: Path) -> None:
    names = write(tmp_path, "images", "annotations/trimaps", (2, 1, 3))
    for file, part in (("trainval", names[:4]), ("test", names[4:])):
        (tmp_path / "annotations" / f"{file}.txt").write_text("".join(f"{name} 1 1 1\n" for name in part))
    (tmp_path / "annotations" / "list.txt").write_text("#Image CLASS-ID SPECIES BREED ID\n")
    assert [sample.split for sample in read(tmp_path).samples] == ["train"] * 4 + ["test"] * 2


def test_names_of_ade20k_are_the_first_of_several(tmp_path: Path) -> None:
    write(tmp_path, "images/training", "annotations/training", (1, 3, 0))
    rows = ["Idx\tRatio\tTrain\tVal\tStuff\tName", "1\t0.1\t9\t1\t1\twall", "3\t0.1\t9\t1\t1\tsky, heaven"]
    (tmp_path / "objectInfo150.txt").write_text("\n".join(rows) + "\n")
    found = read(tmp_path)
    assert ImageSegmentation().schema(found).classes == ("wall", "sky")
    assert found.samples[0].fields["mask"]["values"]["0"] == "", "other things are neither learned nor scored"


def test_vessels_are_the_masks_of_drive_and_not_what_the_camera_sees(tmp_path: Path) -> None:
    for part, number in (("training", 21), ("test", 1)):
        for name, folder, value in (
            (f"{number:02d}_{part}.tif", "images", 90),
            (f"{number:02d}_{part}_mask.gif", "mask", 255),
            (f"{number:02d}_manual1.gif", "1st_manual", 255),
            (f"{number:02d}_manual2.gif", "2nd_manual", 255),
        ):
            (tmp_path / part / folder).mkdir(parents=True, exist_ok=True)
            picture = np.zeros((20, 24), np.uint8)
            picture[number % 7 : 15] = value
            Image.fromarray(picture).save(tmp_path / part / folder / name)
    found = read(tmp_path)
    masks = [Path(sample.fields["mask"]["path"]).relative_to(tmp_path).as_posix() for sample in found.samples]
    assert [sample.id for sample in found.samples] == ["test/images/01_test.tif", "training/images/21_training.tif"]
    assert masks == ["test/1st_manual/01_manual1.gif", "training/1st_manual/21_manual1.gif"]
    assert not found.issues and [sample.split for sample in found.samples] == ["test", "train"]


def test_of_two_observers_the_first_one_counts(tmp_path: Path) -> None:
    for name, value in (("Image_01L.jpg", 90), ("Image_01L_1stHO.png", 255), ("Image_01L_2ndHO.png", 255)):
        picture = np.zeros((20, 24), np.uint8)
        picture[4:9] = value
        Image.fromarray(picture).save(tmp_path / name)
    (sample,) = read(tmp_path).samples
    assert (sample.id, Path(sample.fields["mask"]["path"]).name) == ("Image_01L.jpg", "Image_01L_1stHO.png")
