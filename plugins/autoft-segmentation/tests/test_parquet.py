"""Images and masks in Parquet files."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import DataError, ReadOptions
from autoft.data import masks
from autoft_segmentation._parquet import ParquetMaskReader
from autoft_segmentation._task import ImageSegmentation

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
ASKED = ReadOptions(needs=("image", "mask"))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path_factory.mktemp("cache")))


def png(pixels: Any) -> dict[str, Any]:
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return {"bytes": made.getvalue(), "path": None}


def write(file: Path, names: tuple[str, ...] = ("image", "mask"), count: int = 3) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    drawn = np.zeros((8, 8), np.uint8)
    drawn[:3], drawn[3:5] = 1, 2
    columns: dict[str, Any] = {names[0]: [png(pixels) for pixels in noise], names[1]: [png(drawn)] * count}
    columns["id"] = list(range(count))
    parquet.write_table(arrow.table(columns), file)


@pytest.mark.parametrize("names", [("image", "mask"), ("pixel_values", "label"), ("Image", "Annotation")])
def test_images_and_masks_inside_of_tables(tmp_path: Path, names: tuple[str, str]) -> None:
    write(tmp_path / "data/train-00000-of-00001.parquet", names)
    write(tmp_path / "data/validation-00000-of-00001.parquet", names, 2)
    assert ParquetMaskReader().sniff(str(tmp_path), ASKED)
    found = ParquetMaskReader().read(str(tmp_path), ASKED)
    assert Counter(sample.split for sample in found.samples) == {"train": 3, "val": 2} and not found.issues
    assert f"mask in column '{names[1]}'" in found.recognised
    classes = ImageSegmentation().schema(found).classes
    assert classes == ("class 0", "class 1", "class 2")
    wanted = masks.labels([sample.fields["mask"] for sample in found.samples], classes)
    lines = masks.decode(0, wanted, 8, found.samples[0].fields["image"]).pixels[:, 0].tolist()
    assert lines == [1, 1, 1, 2, 2, 0, 0, 0]


def test_one_part_alone_is_all(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet")
    assert {sample.split for sample in ParquetMaskReader().read(str(tmp_path), ASKED).samples} == {""}


def test_columns_that_cannot_be_told_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", ("left", "right"))
    with pytest.raises(DataError, match="with files are: left, right") as caught:
        ParquetMaskReader().read(str(tmp_path), ASKED)
    assert "Name the columns image and mask" in caught.value.hint


def test_other_folders_are_none(tmp_path: Path) -> None:
    assert not ParquetMaskReader().sniff(str(tmp_path), ASKED)
    with pytest.raises(DataError, match="must hold tables with images and masks"):
        ParquetMaskReader().read(str(tmp_path), ASKED)
