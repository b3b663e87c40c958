"""Tables of run lengths, as contests on Kaggle have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import DataError, Mask, ReadOptions, image_header
from autoft.data.drawing import draw
from autoft.data.readers import open_dataset
from autoft.options import DataOptions
from autoft.registry import load
from autoft.testing import ReaderContract
from autoft_segmentation._pairedruns import counts, parse
from autoft_segmentation._rle import RunLengthReader
from autoft_segmentation._task import ImageSegmentation

ASKED = ReadOptions(needs=("image", "mask"))
WIDTH, HEIGHT = 40, 30
Array = np.ndarray[Any, np.dtype[Any]]


def disc(x: int, y: int, radius: int = 6) -> Array:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def pairs(mask: Array, *, down: bool = True, first: int = 1) -> str:
    flat = np.concatenate([[False], (mask.T if down else mask).ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2)
    return " ".join(f"{start + first} {end - start}" for start, end in edges.tolist())


def pictures(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name)


def drawn(sample: Any, *classes: str) -> Array:
    header, mask = image_header(sample.fields["image"]), Mask(**sample.fields["mask"])
    assert header
    mask = Mask(**{**sample.fields["mask"], "shapes": tuple(map(_shape, sample.fields["mask"]["shapes"]))})
    return np.asarray(draw(mask, header, {name: place for place, name in enumerate(classes)}, 255)[0])


def _shape(found: dict[str, Any]) -> Any:
    from autoft.api import Shape

    return Shape(**{key: tuple(value) if isinstance(value, list) else value for key, value in found.items()})


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("first", [0, 1])
def test_runs_are_those_of_their_pixels(tmp_path: Path, down: bool, first: int) -> None:
    """Which way they go, the runs tell, as what follows each other lies side by side."""
    pictures(tmp_path / "train_images", "a.png", "b.png")
    one, corner = disc(20, 12), np.zeros((HEIGHT, WIDTH), bool)
    corner[:3, :5] = True
    rows = [f"{n},{pairs(m, down=down, first=first)}" for n, m in (("a.png", one), ("a.png", corner), ("b.png", one))]
    (tmp_path / "train.csv").write_text("\n".join(["ImageId,EncodedPixels", *rows]) + "\n")
    found = RunLengthReader().read(str(tmp_path), ASKED)
    assert [sample.id for sample in found.samples] == ["train_images/a.png", "train_images/b.png"]
    assert np.array_equal(drawn(found.samples[0], "background", "foreground"), one | corner)
    assert np.array_equal(drawn(found.samples[1], "background", "foreground"), one)
    assert ("down columns" if down else "along rows") in found.recognised
    assert f"count from {first}" in found.recognised and not any(sample.split for sample in found.samples)


def test_a_column_names_classes(tmp_path: Path) -> None:
    pictures(tmp_path / "images", "a.png", "b.png", "c.png")
    rows = [f"a.png,1,{pairs(disc(10, 10))}", f"a.png,3,{pairs(disc(30, 15))}", "b.png,2,"]
    (tmp_path / "train.csv").write_text("\n".join(["ImageId,ClassId,EncodedPixels", *rows]) + "\n")
    (tmp_path / "sample_submission.csv").write_text("ImageId,ClassId,EncodedPixels\nc.png,1,1 1\n")
    found = RunLengthReader().read(str(tmp_path), ASKED)
    assert ImageSegmentation().schema(found).classes == ("background", "class 1", "class 3")
    first, second = found.samples
    assert np.array_equal(drawn(first, "background", "class 1", "class 3"), disc(10, 10) + 2 * disc(30, 15))
    assert not second.fields["mask"]["shapes"] and "1 images have none" in found.recognised
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("no_annotation", "images/c.png")]


@pytest.mark.parametrize(
    ("head", "name", "classes"),
    [
        ("Image_Label", "a.png_Fish", ("background", "Fish")),
        ("ImageId_ClassId", "a.png_4", ("background", "class 4")),
        ("id", "a", ("background", "foreground")),
        ("image_id", "a", ("background", "foreground")),
    ],
)
def test_one_column_may_tell_picture_and_class(tmp_path: Path, head: str, name: str, classes: tuple[str, ...]) -> None:
    pictures(tmp_path / "train", "a.png")
    (tmp_path / "train.csv").write_text(f"{head},rle_mask\n{name},{pairs(disc(10, 10))}\n")
    found = open_dataset(load(), DataOptions(data=str(tmp_path)), ImageSegmentation())
    assert found.reader == "rle-masks" and ImageSegmentation().schema(found).classes == classes


@pytest.mark.parametrize("other", ["my_predictions", "train_v2", "test_predictions", "a/train", "a/more"])
def test_tables_beside_the_truth_are_not_drawn_with_it(tmp_path: Path, other: str) -> None:
    pictures(tmp_path / "images", "a.png", "b.png")
    (tmp_path / "a").mkdir()
    for name, mask in (("train", disc(10, 10)), (other, disc(30, 15))):
        rows = [f"{picture},{pairs(mask)}" for picture in ("a.png", "b.png")]
        (tmp_path / f"{name}.csv").write_text("\n".join(["ImageId,EncodedPixels", *rows]) + "\n")
    with pytest.raises(DataError, match=rf"but there are 2: .*{other}\.csv"):
        RunLengthReader().read(str(tmp_path), ASKED)
    found = RunLengthReader().read(str(tmp_path / "train.csv"), ASKED)
    assert np.array_equal(drawn(found.samples[0], "background", "foreground"), disc(10, 10))


@pytest.mark.parametrize("names", [("train_masks", "val_masks", "test_masks"), ("train/rle", "val/rle", "test/rle")])
def test_a_table_for_each_part(tmp_path: Path, names: tuple[str, ...]) -> None:
    for number, name in enumerate(names):
        pictures(tmp_path / "images", *(f"{n}.png" for n in range(number + 1)))
        (tmp_path / f"{name}.csv").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.csv").write_text(f"ImageId,EncodedPixels\n{number}.png,{pairs(disc(10, 10))}\n")
    found = RunLengthReader().read(str(tmp_path), ASKED)
    assert [sample.split for sample in found.samples] == ["train", "val", "test"]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    rows = ["a.png,1 4 3 2", "a.png,1 2 3", "a.png,1199 9", "a.png,-1", "gone.png,1 2", "a.png,5 2"]
    (tmp_path / "train.csv").write_text("\n".join(["image,rle", *rows]) + "\n")
    found = RunLengthReader().read(str(tmp_path), ASKED)
    assert [issue.subject for issue in found.issues] == [f"train.csv line {n}" for n in (2, 3)] + [
        "gone.png",
        "train.csv line 4",
    ]
    assert len(found.samples) == 1 and len(found.samples[0].fields["mask"]["shapes"]) == 1


@pytest.mark.parametrize("text", ["id,depth\na,7\n", "id,rle\na,\n", "filename,class,xmin\na,b,3\n"])
def test_other_tables_are_none_of_runs(tmp_path: Path, text: str) -> None:
    (tmp_path / "train.csv").write_text(text)
    assert not RunLengthReader().sniff(str(tmp_path), ASKED)


def test_runs_of_a_whole_picture_and_of_none() -> None:
    assert counts(parse("1 12"), (4, 3), first=1, down=True) == (0, 12, 0)
    assert counts(parse("1 12"), (4, 3), first=1, down=False) == (0, 12, 0)
    assert sum(counts(parse("12 1"), (4, 3), first=1, down=False)) == 12


class TestRunLengths(ReaderContract):
    reader = RunLengthReader
    options = ASKED
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        pictures(folder / "images", "a.png", "b.png", "c.png")
        rows = [f"{name},{pairs(disc(10, 10))}" for name in ("a", "b", "c")]
        (folder / "train.csv").write_text("\n".join(["id,rle_mask", *rows]) + "\n")
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "images" / "b.png").unlink()
        return str(folder)
