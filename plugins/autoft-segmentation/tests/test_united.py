"""Several masks of one picture become one."""

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


def thing(path: Path, row: int, value: int = 255) -> None:
    """One line is the thing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[row] = value
    Image.fromarray(pixels).save(path)


def read(folder: Path) -> Dataset:
    assert MaskFolderReader().sniff(str(folder), ASKED)
    return MaskFolderReader().read(str(folder), ASKED)


def rows(data: Dataset, number: int) -> list[int]:
    """The class of each line, as learning sees it."""
    classes = ImageSegmentation().schema(data).classes
    assert classes == ("background", "foreground")
    wanted = masks.labels([sample.fields["mask"] for sample in data.samples], classes)
    found: list[int] = masks.decode(number, wanted, SIDE, data.samples[number].fields["image"]).pixels[:, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("picture", "truth"),
    [
        ("{p}/images/{p}.png", "{p}/masks/{n}f3{p}.png"),
        ("stage1_train/{p}/images/{p}.png", "stage1_train/{p}/masks/{n}.png"),
        ("{p}/images/{p}.png", "{p}/masks/mask_{n}.png"),
        ("images/{p}.png", "masks/{p}/{n}.png"),
        ("images/{p}.png", "masks/{p}_{n}.png"),
        ("images/{p}.png", "masks/{p}_mask{n}.png"),
        ("{p}.png", "{p}_mask_{n}.png"),
    ],
)
def test_masks_of_one_thing_each_are_united(tmp_path: Path, picture: str, truth: str) -> None:
    for name in range(3):
        image(tmp_path / picture.format(p=name))
        for number in range(3 if name else 1):
            thing(tmp_path / truth.format(p=name, n=number), number * 2)
    found = read(tmp_path)
    assert len(found.samples) == 3 and not found.issues
    assert "6 masks of 2 pictures are united" in found.recognised
    assert [rows(found, n) for n in range(3)] == [[1] + [0] * 7, [1, 0, 1, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0, 0, 0]]


def test_parts_of_the_bowl_stay_parts(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"stage1_train/{name}/images/{name}.png")
        (
            thing(tmp_path / f"stage1_train/{name}/masks/1c.png", 1),
            thing(tmp_path / f"stage1_train/{name}/masks/2d.png", 2),
        )
        image(tmp_path / f"stage1_test/{name}x/images/{name}x.png")
    found = read(tmp_path)
    assert [(sample.id, sample.split) for sample in found.samples] == [
        (f"stage1_train/{name}/images/{name}.png", "train") for name in ("a", "b")
    ]
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("unlabelled_part", "test")]


def test_a_further_lesion_is_united_with_the_first(tmp_path: Path) -> None:
    for name in ("benign (1)", "benign (2)"):
        image(tmp_path / f"{name}.png"), thing(tmp_path / f"{name}_mask.png", 0)
    thing(tmp_path / "benign (2)_mask_1.png", 3)
    found = read(tmp_path)
    assert "2 masks of 1 pictures are united" in found.recognised and not found.issues
    assert [rows(found, n) for n in range(2)] == [[1, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0, 0, 0]]


def test_masks_of_several_values_are_not_united(tmp_path: Path) -> None:
    for name in ("1", "2"):
        image(tmp_path / name / "images" / "scan.png")
        thing(tmp_path / name / "masks" / "1.png", 0, 1), thing(tmp_path / name / "masks" / "2.png", 1, 2)
    with pytest.raises(DataError, match="they have 3 classes"):
        read(tmp_path)


def test_a_mask_of_the_same_name_is_the_only_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / name / f"{name}.png")
        thing(tmp_path / name / "label" / f"{name}.png", 0), thing(tmp_path / name / "label" / f"{name}x.png", 1)
    found = read(tmp_path)
    assert "united" not in found.recognised
    assert [Path(sample.fields["mask"]["path"]).name for sample in found.samples] == ["a.png", "b.png"]


def test_a_store_is_another_when_one_of_several_masks_changes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / f"images/{name}.png")
        thing(tmp_path / f"masks/{name}_1.png", 0), thing(tmp_path / f"masks/{name}_2.png", 1)

    def key() -> str:
        wanted = [sample.fields["mask"] for sample in read(tmp_path).samples]
        return masks.fingerprint(masks.labels(wanted, ("background", "foreground")), 1)

    before = key()
    thing(tmp_path / "masks/b_2.png", 5)
    assert key() != before
