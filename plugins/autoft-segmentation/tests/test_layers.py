"""One mask for each class of a picture, and masks in the alpha channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoft.api import DataError, Dataset, ReadOptions
from autoft.data import masks
from autoft_segmentation._folder import MaskFolderReader
from autoft_segmentation._task import ImageSegmentation

ASKED = ReadOptions(needs=("image", "mask"))
SIDE = 8


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIDE, SIDE)).save(path)


def mask(path: Path, rows: range, value: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[rows.start : rows.stop] = value
    Image.fromarray(pixels).save(path)


def read(folder: Path) -> Dataset:
    assert MaskFolderReader().sniff(str(folder), ASKED)
    return MaskFolderReader().read(str(folder), ASKED)


def rows(data: Dataset, number: int) -> list[str]:
    """The class of each line, as learning sees it."""
    classes = ImageSegmentation().schema(data).classes
    wanted = masks.labels([sample.fields["mask"] for sample in data.samples], classes)
    found = masks.decode(number, wanted, SIDE, data.samples[number].fields["image"]).pixels[:, 0].tolist()
    return [classes[value][0] if value < len(classes) else "?" for value in found]


@pytest.mark.parametrize(
    ("picture", "truth", "by"),
    [
        ("images/{p}.png", "masks/{p}_{c}.png", "the ends of their names: Car, Road"),
        ("images/{p}.jpg", "masks/{c}_{p}.png", "the ends of their names: Car, Road"),
        ("images/{p}.jpg", "masks/{p}_mask_{c}.png", "the ends of their names: Car, Road"),
        ("{p}.jpg", "{p}_{c}_mask.png", "the ends of their names: Car, Road"),
        ("{p}.jpg", "{p}_{c}.png", "the ends of their names: Car, Road"),
        ("images/{p}.jpg", "masks/{c}/{p}.png", "their folders: Car, Road"),
        ("images/{p}.jpg", "masks/1. {c}/{p}_x.png", "their folders: Car, Road"),
        ("images/{p}.jpg", "{c}_masks/{p}.png", "their folders: Car, Road"),
        ("train/images/{p}.jpg", "train/masks/{c}/{p}.png", "their folders: Car, Road"),
        ("{p}/images/scan.png", "{p}/masks/{c}.png", "their names: Car, Road"),
        ("images/{p}.png", "masks/{p}/{c}.png", "their names: Car, Road"),
        ("Images/{p}.jpg", "2. All Groundtruths/{c}/{p}_{c}.tif", "the ends of their names: Car, Road"),
    ],
)
def test_masks_of_one_class_each_are_classes(tmp_path: Path, picture: str, truth: str, by: str) -> None:
    for name in ("img1", "img2", "img3"):
        image(tmp_path / picture.format(p=name))
        mask(tmp_path / truth.format(p=name, c="Road"), range(6))
        if name != "img3":
            mask(tmp_path / truth.format(p=name, c="Car"), range(4, 7))
    found = read(tmp_path)
    assert ImageSegmentation().schema(found).classes == ("background", "Car", "Road")
    assert not found.issues and len(found.samples) == 3
    assert f"5 masks of one class each are united, the classes are taken from {by}" in found.recognised
    assert "where they overlap the smaller lies on top" in found.recognised
    # The car is smaller, so that it covers the road where both are.
    assert [rows(found, n) for n in range(3)] == [list("RRRRCCCb"), list("RRRRCCCb"), list("RRRRRRbb")]


def test_numbers_that_are_called_classes_are_classes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        for number in range(3):
            mask(tmp_path / f"masks/{name}_class{number}.png", range(number, number + 1), 1)
    found = read(tmp_path)
    assert ImageSegmentation().schema(found).classes == ("background", "class0", "class1", "class2")


def test_folders_of_numbers_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        for number in range(3):
            mask(tmp_path / f"masks/{number}/{name}.png", range(number, number + 1))
    with pytest.raises(DataError, match="each of the folders 0, 1, 2 has a mask of the same pictures") as caught:
        read(tmp_path)
    assert "Call the folders after the classes" in caught.value.hint


def test_a_class_that_is_ignored_is_not_learned(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        for number, label in enumerate(("road", "car", "void")):
            mask(tmp_path / f"masks/{label}/{name}.png", range(number, number + 1))
    found = read(tmp_path)
    assert ImageSegmentation().schema(found).classes == ("background", "car", "road")
    assert rows(found, 0) == list("rc?bbbbb")


def test_masks_of_several_values_are_not_one_class_each(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        mask(tmp_path / f"masks/road/{name}.png", range(2), 1)
        mask(tmp_path / f"masks/car/{name}.png", range(2), 2)
    with pytest.raises(DataError, match="they have 3 classes"):
        read(tmp_path)


@pytest.mark.parametrize(
    "folders", [("dataset/label_images_semantic", "RGB_color_image_masks"), ("masks/red", "masks/full")]
)
def test_versions_of_whole_masks_are_no_classes(tmp_path: Path, folders: tuple[str, str]) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"original_images/{name}.png")
        for folder in folders:
            mask(tmp_path / folder / f"{name}.png", range(4), 1)
            whole = np.array(Image.open(tmp_path / folder / f"{name}.png"))
            whole[4:6] = 2
            Image.fromarray(whole).save(tmp_path / folder / f"{name}.png")
    found = read(tmp_path)
    assert "united" not in found.recognised and "3 classes" in found.recognised


def test_grey_masks_beside_a_colour_map_count_its_lines(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        mask(tmp_path / f"masks/{name}.png", range(4), 2)
    lines = ["name, r, g, b", "unlabeled, 0, 0, 0", "paved-area, 128, 64, 128", "dirt, 130, 76, 0"]
    (tmp_path / "class_dict_seg.csv").write_text("\n".join(lines) + "\n")
    found = read(tmp_path)
    assert "counted by its lines" in found.recognised
    assert rows(found, 0) == list("dddd????")


def test_of_masks_in_folders_within_each_other_the_outer_ones_are_taken(tmp_path: Path) -> None:
    for name in ("t_0", "t_1"):
        image(tmp_path / f"TEST/images/{name}.jpg")
        for folder in ("TEST/masks", "TEST/masks/HD", "TEST/masks/Saliency"):
            mask(tmp_path / folder / f"{name}.bmp", range(4), 1)
            pixels = np.array(Image.open(tmp_path / folder / f"{name}.bmp"))
            pixels[6:] = 2
            Image.fromarray(pixels).save(tmp_path / folder / f"{name}.bmp")
    paths = {Path(sample.fields["mask"]["path"]).parent.name for sample in read(tmp_path).samples}
    assert paths == {"masks"}


def test_folders_of_cities_are_no_classes(tmp_path: Path) -> None:
    for city in ("aachen", "bochum"):
        for number in range(2):
            name = f"{city}_{number:06d}_000019"
            image(tmp_path / f"leftImg8bit/train/{city}/{name}_leftImg8bit.png")
            mask(tmp_path / f"gtFine/train/{city}/{name}_gtFine_labelIds.png", range(3), 7)
            mask(tmp_path / f"gtFine/train/{city}/{name}_gtFine_instanceIds.png", range(3), 9)
    found = read(tmp_path)
    assert "united" not in found.recognised and len(found.samples) == 4 and not found.issues
    assert {sample.fields["mask"]["path"].rsplit("_", 1)[1] for sample in found.samples} == {"labelIds.png"}


def test_coloured_copies_of_masks_are_no_masks(tmp_path: Path) -> None:
    for name in ("a-x", "b-x"):
        image(tmp_path / f"images/10k/train/{name}.jpg")
        mask(tmp_path / f"labels/sem_seg/masks/train/{name}.png", range(3), 1)
        image(tmp_path / f"labels/sem_seg/colormaps/train/{name}.png")
    found = read(tmp_path)
    assert {Path(sample.fields["mask"]["path"]).parent.parent.name for sample in found.samples} == {"masks"}


def test_a_data_set_may_be_called_after_its_masks(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"Kvasir-SEG/images/{name}.png")
        mask(tmp_path / f"Kvasir-SEG/masks/{name}.png", range(3))
    assert len(read(tmp_path).samples) == 2


def test_photos_with_ends_are_no_masks(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    for name in ("a", "b"):
        image(tmp_path / f"{name}.jpg")
        for end in ("left", "right"):
            Image.fromarray(noise).save(tmp_path / f"{name}_{end}.png")
    assert not MaskFolderReader().sniff(str(tmp_path), ASKED)


def veiled(path: Path, colours: np.ndarray, alpha: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.dstack([colours, alpha]).astype(np.uint8)).save(path)


@pytest.mark.parametrize("form", ["black", "photo"])
def test_classes_in_the_alpha_channel(tmp_path: Path, form: str) -> None:
    alpha = np.zeros((20, 20))
    alpha[:10] = 255
    for seed, name in enumerate(("a", "b")):
        image(tmp_path / f"images/{name}.png")
        noise = np.random.default_rng(seed).integers(0, 256, (20, 20, 3))
        veiled(
            tmp_path / f"masks/{name}.png", noise if form == "photo" else np.zeros((20, 20, 3)), alpha * (name == "a")
        )
    found = read(tmp_path)
    assert "0 background, 255 foreground, in the alpha channel, as colours tell no classes" in found.recognised
    assert [rows(found, n) for n in range(2)] == [list("ffffbbbb"), list("bbbbbbbb")]


def test_colours_tell_classes_where_the_alpha_channel_is_there_as_well(tmp_path: Path) -> None:
    colours = np.zeros((SIDE, SIDE, 3))
    colours[:2, :, 0] = 255
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        veiled(tmp_path / f"masks/{name}.png", colours, colours[..., 0])
    found = read(tmp_path)
    assert "alpha" not in found.recognised and "2 classes" in found.recognised


def test_a_store_is_another_when_the_class_of_a_mask_changes(tmp_path: Path) -> None:
    keys = set()
    for label in ("road", "rail"):
        for name in ("a", "b"):
            image(tmp_path / label / f"images/{name}.png")
            mask(tmp_path / label / f"masks/{label}/{name}.png", range(2))
            mask(tmp_path / label / f"masks/car/{name}.png", range(1))
        wanted = [sample.fields["mask"] for sample in read(tmp_path / label).samples]
        keys.add(masks.fingerprint(masks.labels(wanted, ("background", "car")), 1))
    assert len(keys) == 2


@pytest.mark.parametrize("truth", ["masks/{p}_{c}_{n}.png", "masks/{p}_{c} ({n}).png", "masks/{p}_mask_{c}-{n}.png"])
def test_one_mask_for_each_thing_with_its_class_in_the_name(tmp_path: Path, truth: str) -> None:
    for picture in "ab":
        image(tmp_path / "images" / f"{picture}.png")
        for name, number, lines in (("Car", 0, range(1)), ("Car", 1, range(2, 3)), ("Road", 2, range(4, 6))):
            mask(tmp_path / truth.format(p=picture, c=name, n=number), lines)
    data = read(tmp_path)
    assert "taken from the ends of their names, without the numbers of things: Car, Road" in data.recognised
    assert rows(data, 0) == list("CbCbRRbb")


def test_things_of_one_class_have_its_name(tmp_path: Path) -> None:
    for picture in "ab":
        image(tmp_path / "images" / f"{picture}.png")
        for number in (1, 2):
            mask(tmp_path / "masks" / f"{picture}_cell_{number}.png", range(number, number + 1))
    assert rows(read(tmp_path), 1) == list("bccbbbbb")


def test_masks_of_several_people_are_no_classes(tmp_path: Path) -> None:
    for picture in "ab":
        image(tmp_path / "images" / f"{picture}.png")
        for number in (1, 2):
            mask(tmp_path / "masks" / f"{picture}_rater_{number}.png", range(number, number + 1))
    assert not MaskFolderReader().sniff(str(tmp_path), ASKED)
