"""What values mean: in further sources, where they count things, in Cityscapes, and with names that end like masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft import registry
from autoft.api import DataError, Dataset, Mask, ReadOptions, Schema
from autoft.data import masks
from autoft.data.readers import open_dataset
from autoft.options import DataOptions
from autoft_segmentation import _values
from autoft_segmentation._folder import MaskFolderReader
from autoft_segmentation._task import ImageSegmentation

ASKED = ReadOptions(needs=("image", "mask"))
SIDE = 24


def save(path: Path, pixels: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def pair(root: Path, number: int, pixels: Any, name: str = "masks/{}.png") -> None:
    save(root / f"images/{number}.png", np.random.default_rng(number).integers(0, 255, (SIDE, SIDE, 3)))
    save(root / name.format(number), pixels)


def stripes(*values: Any) -> np.ndarray[Any, Any]:
    return np.repeat(np.array(values), SIDE // len(values), axis=0)[:, None].repeat(SIDE, axis=1).squeeze()


def read(root: Path, meaning: Mask | None = None) -> Dataset:
    return MaskFolderReader().read(str(root), ReadOptions(needs=("image", "mask"), meaning=meaning))


def values(found: Dataset) -> dict[str, str]:
    known: dict[str, str] = found.samples[0].fields["mask"]["values"]
    return known


def further(tmp_path: Path, first: Any, second: Any, names: str = "") -> tuple[Dataset, Dataset]:
    pair(tmp_path / "a", 0, first), pair(tmp_path / "b", 0, second)
    if names:
        (tmp_path / "a/classes.txt").write_text(names)
    main = read(tmp_path / "a")
    return main, read(tmp_path / "b", main.meaning)


def test_fewer_values_mean_what_they_did(tmp_path: Path) -> None:
    main, other = further(tmp_path, stripes(0, 1, 2), stripes(0, 1))
    assert values(other) == values(main) == {"0": "class 0", "1": "class 1", "2": "class 2"}


def test_names_and_colours_hold_for_further_sources(tmp_path: Path) -> None:
    main, other = further(tmp_path, stripes(0, 1, 2), stripes(0, 2), "ground\nroad\nsky\n")
    assert values(other) == values(main) and values(other)["2"] == "sky"
    red, blue = [255, 0, 0], [0, 0, 255]
    main, other = further(tmp_path / "c", stripes([0, 0, 0], red, blue), stripes([0, 0, 0], blue))
    assert values(other) == values(main) and "#0000ff" in values(other)


def test_a_new_number_is_a_further_class(tmp_path: Path) -> None:
    main, other = further(tmp_path, stripes(0, 1, 2), stripes(0, 1, 2, 3))
    assert values(other) == {**values(main), "3": "class 3"}


def test_other_values_may_stand_for_the_same_classes(tmp_path: Path) -> None:
    main, other = further(tmp_path, stripes(0, 1), stripes(0, 255))
    assert values(main) == {"0": "background", "1": "foreground"}
    assert values(other) == {"0": "background", "255": "foreground"}


@pytest.mark.parametrize("names", ["", "ground\nroad\n"])
def test_values_that_mean_nothing_are_refused(tmp_path: Path, names: str) -> None:
    with pytest.raises(DataError, match=r"have 2 too\. Known: 0, 1"):
        further(tmp_path, stripes(0, 1), stripes(0, 1, 2), names)


def test_a_list_of_their_own_goes_first(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/classes.txt").write_text("ground\nRoad\n")
    main, other = further(tmp_path, stripes(0, 1), stripes(0, 1), "ground\nroad\n")
    assert values(other)["1"] == "Road"
    task, schema = ImageSegmentation(), Schema(task="image-seg", classes=("ground", "road"))
    problem = task.formulations(schema)[0]
    assert task.encode(main.samples, schema, problem) == {}
    with pytest.raises(DataError, match=r"names 'Road'\. Did you mean 'road'"):
        task.encode(other.samples, schema, problem)


def things(number: int) -> np.ndarray[Any, Any]:
    """`number` squares apart from each other, each with its own number."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    for place in range(number):
        row, column = divmod(place, 4)
        pixels[row * 6 + 1 : row * 6 + 5, column * 6 + 1 : column * 6 + 5] = place + 1
    return pixels


def test_numbers_of_things_are_united(tmp_path: Path) -> None:
    for number in range(8):
        pair(tmp_path, number, things(number % 5))
    found = read(tmp_path)
    assert ImageSegmentation().schema(found).classes == ("background", "foreground")
    assert "numbers of things" in found.recognised and "class list" in found.recognised
    wanted = masks.labels([sample.fields["mask"] for sample in found.samples], ("background", "foreground"))
    decoded = masks.decode(4, wanted, SIDE, found.samples[4].fields["image"])
    assert decoded.remark == "" and (decoded.pixels == (things(4) > 0)).all()
    pair(tmp_path / "b", 0, things(12))
    other = read(tmp_path / "b", found.meaning)
    assert ImageSegmentation().schema(other).classes == ("background", "foreground"), "more things than in training"
    (tmp_path / "classes.txt").write_text("background\ncat\ndog\ncow\nowl\n")
    assert values(read(tmp_path))["4"] == "owl"


@pytest.mark.parametrize("kind", ["gaps", "scattered", "nested", "same"])
def test_classes_are_no_things(tmp_path: Path, kind: str) -> None:
    for number in range(8):
        pixels = things(4 if kind == "same" else number % 5)
        if kind == "gaps":
            pixels[pixels == 1] = 4
        elif kind == "scattered":
            pixels[::2] = np.roll(pixels, 6, 1)[::2]
        elif kind == "nested":
            pixels = np.zeros((SIDE, SIDE), np.uint8)
            for depth in range(number % 5):
                pixels[2 * depth + 1 : -2 * depth - 1, 2 * depth + 1 : -2 * depth - 1] = depth + 1
        pair(tmp_path, number, pixels)
    assert "class 4" in values(read(tmp_path)).values()


def city(root: Path, split: str, *rows: int, kind: str = "labelIds") -> None:
    save(root / f"leftImg8bit/{split}/x/{split}_leftImg8bit.png", np.zeros((SIDE, SIDE, 3)))
    save(root / f"gtFine/{split}/x/{split}_gtFine_{kind}.png", stripes(*rows))


def test_cityscapes_is_known_by_its_names(tmp_path: Path) -> None:
    city(tmp_path, "train", 0, 7, 26), city(tmp_path, "val", 7, 7, 3), city(tmp_path, "test", 0, 1, 3)
    found = read(tmp_path)
    assert [sample.split for sample in found.samples] == ["train", "val"]
    assert [(i.kind, i.subject) for i in found.issues if i.kind != "no_mask"] == [("unlabelled_part", "test")]
    known = values(found)
    assert (known["7"], known["26"], known["33"], known["0"], known["9"]) == ("road", "car", "bicycle", "", "")
    assert len(ImageSegmentation().schema(found).classes) == 19


def test_cityscapes_train_ids(tmp_path: Path) -> None:
    city(tmp_path, "train", 0, 13, 255, kind="labelTrainIds")
    known = values(read(tmp_path))
    assert (known["0"], known["13"], known["18"], known["255"]) == ("road", "car", "bicycle", "")


def test_ends_of_names_tell_no_masks_where_masks_have_the_same_names(tmp_path: Path) -> None:
    for number in range(3):
        for end in ("L", "R"):
            save(tmp_path / f"images/{number}_{end}.jpg", np.zeros((SIDE, SIDE, 3)))
            save(tmp_path / f"masks/{number}_{end}.png", stripes(0, 255))
    found = read(tmp_path)
    pairs = {Path(s.fields["image"]).stem: Path(s.fields["mask"]["path"]).stem for s in found.samples}
    assert pairs == {f"{n}_{end}": f"{n}_{end}" for n in range(3) for end in "LR"} and not found.issues
    for number in range(3):
        (tmp_path / f"images/{number}_R.jpg").unlink()
    assert [sample.id for sample in read(tmp_path).samples] == [f"images/{n}_L.jpg" for n in range(3)]


def test_a_copy_of_a_mask_beside_its_image_is_no_picture(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"images/{number}.jpg", np.zeros((SIDE, SIDE, 3)))
        for folder in ("images", "masks"):
            save(tmp_path / f"{folder}/{number}_mask.png", stripes(0, 255))
    assert [sample.id for sample in read(tmp_path).samples] == [f"images/{n}.jpg" for n in range(3)]


def test_of_large_masks_fewer_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(_values, "survey_mask", looked.append)
    save(tmp_path / "0.png", np.zeros((1000, 1000)))
    _values._look([str(tmp_path / "0.png")] * 2000)
    assert len(looked) == 500
    looked.clear()
    save(tmp_path / "0.png", np.zeros((10, 10)))
    _values._look([str(tmp_path / "0.png")] * 2000)
    assert len(looked) == 1000


def test_further_sources_of_a_search_are_read_by_the_first(tmp_path: Path) -> None:
    for number in range(4):
        pair(tmp_path / "a", number, stripes(0, 1, 2)), pair(tmp_path / "b", number, stripes(0, 1))
    options = DataOptions(data=str(tmp_path / "a"), val=str(tmp_path / "b"))
    task = ImageSegmentation()
    joined = open_dataset(registry.installed(), options, task)
    assert task.schema(joined).classes == ("class 0", "class 1", "class 2")
    alone = DataOptions(data=str(tmp_path / "b"))
    again = open_dataset(registry.installed(), alone, task, meaning=joined.meaning)
    assert values(again) == {"0": "class 0", "1": "class 1", "2": "class 2"}
