"""Images and boxes in Parquet files, as the Hugging Face hub has them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import DataError, ReadOptions
from autoft_detection._parquet import ParquetBoxReader

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
ASKED = ReadOptions(needs=("image", "boxes"))
NAMED = {"_type": "ClassLabel", "names": ["Coverall", "Mask"]}
BOXES = [[1.0, 2.0, 10.0, 5.0], [20.0, 30.0, 8.0, 9.0]]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path_factory.mktemp("cache")))


def write(file: Path, columns: dict[str, list[Any]], features: dict[str, Any] | None = None) -> None:
    count = len(next(iter(columns.values())))
    pictures = []
    for number in range(count):
        made = io.BytesIO()
        noise = np.random.default_rng(number).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(made, "PNG")
        pictures.append({"bytes": made.getvalue(), "path": None})
    table = arrow.table({"image_id": list(range(count)), "image": pictures, **columns})
    if features:
        told = {"info": {"features": {"image": {"_type": "Image"}, **features}}}
        table = table.replace_schema_metadata({b"huggingface": json.dumps(told).encode()})
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, file)


LISTS = {"objects": [{"id": [1, 2], "bbox": BOXES, "category": [1, 0]}, {"id": [], "bbox": [], "category": []}]}
FORMS: dict[str, tuple[dict[str, list[Any]], dict[str, Any]]] = {
    "an object of lists, as a sequence": (
        LISTS,
        {"objects": {"_type": "Sequence", "feature": {"bbox": {"_type": "Sequence"}, "category": NAMED}}},
    ),
    "an object of lists": (
        LISTS,
        {"objects": {"bbox": {"_type": "List"}, "category": {"_type": "List", "feature": NAMED}}},
    ),
    "a list of objects": (
        {"objects": [[{"bbox": box, "category": kind} for box, kind in zip(BOXES, (1, 0), strict=True)], []]},
        {"objects": [{"bbox": {"_type": "List"}, "category": NAMED}]},
    ),
    "columns": (
        {"bboxes": [BOXES, []], "label": [["Mask", "Coverall"], []]},
        {},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_boxes_inside_of_tables(tmp_path: Path, form: str) -> None:
    columns, features = FORMS[form]
    write(tmp_path / "data/train-00000-of-00001.parquet", columns, features)
    write(tmp_path / "data/test-00000-of-00001.parquet", columns, features)
    assert ParquetBoxReader().sniff(str(tmp_path), ASKED)
    found = ParquetBoxReader().read(str(tmp_path), ASKED)
    assert sorted(sample.split for sample in found.samples) == ["test", "test", "train", "train"]
    full, empty = (sample.fields for sample in found.samples[:2])
    assert full["boxes"] == [[1, 2, 11, 7, "Mask"], [20, 30, 28, 39, "Coverall"]] and full["size"] == [50, 40]
    assert empty["boxes"] == [] and not found.issues and "x, y, width, height" in found.recognised


def test_corners_are_told_by_what_fits(tmp_path: Path) -> None:
    """As the hub's fashionpedia has them: as widths and heights they would reach outside."""
    corners = [[30.0, 20.0, 45.0, 38.0], [5.0, 6.0, 48.0, 39.0]]
    write(tmp_path / "a.parquet", {"objects": [{"bbox": corners, "category": ["a", "b"]}]})
    found = ParquetBoxReader().read(str(tmp_path / "a.parquet"), ASKED)
    assert found.samples[0].fields["boxes"] == [[30, 20, 45, 38, "a"], [5, 6, 48, 39, "b"]]
    assert "two corners" in found.recognised and found.samples[0].split == ""


def test_fractions_and_other_tables_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a/a.parquet", {"objects": [{"bbox": [[0.1, 0.2, 0.3, 0.3]], "category": [0]}]})
    with pytest.raises(DataError, match="fractions"):
        ParquetBoxReader().read(str(tmp_path / "a"), ASKED)
    write(tmp_path / "b/b.parquet", {"caption": ["a cat"]})
    with pytest.raises(DataError, match="objects or bbox"):
        ParquetBoxReader().read(str(tmp_path / "b"), ASKED)
    assert not ParquetBoxReader().sniff(str(tmp_path / "a"), ReadOptions(needs=("image", "mask")))
    (tmp_path / "b" / "b.png").write_bytes(b"")
    assert not ParquetBoxReader().sniff(str(tmp_path / "b"), ASKED), "a table about the images beside it"


def test_what_is_no_box_is_told_and_crowds_are_flagged(tmp_path: Path) -> None:
    things = {"bbox": [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]], "category": [7, 8], "iscrowd": [0, 1]}
    write(tmp_path / "a.parquet", {"objects": [things]})
    found = ParquetBoxReader().read(str(tmp_path), ASKED)
    assert found.samples[0].fields["boxes"] == [[1, 2, 4, 6, "8", "crowd"]]
    assert [issue.kind for issue in found.issues] == ["box_not_finite"]


@pytest.mark.parametrize("form", ["object of lists", "list of objects"])
@pytest.mark.parametrize(
    ("flags", "crowds"),
    [
        (["False", "True"], ["", "crowd"]),
        (["0", "1"], ["", "crowd"]),
        (["no", "yes"], ["", "crowd"]),
        (["0.0", "1.0"], ["", "crowd"]),
        ([False, True], ["", "crowd"]),
        ([None, "n"], ["", ""]),
    ],
)
def test_flags_of_crowds_may_be_words(tmp_path: Path, form: str, flags: list[Any], crowds: list[str]) -> None:
    lists: Any = {"bbox": BOXES, "category": [7, 8], "iscrowd": flags}
    if form == "list of objects":
        lists = [dict(zip(lists, each, strict=True)) for each in zip(*lists.values(), strict=True)]
    write(tmp_path / "data.parquet", {"objects": [lists]})
    found = ParquetBoxReader().read(str(tmp_path), ASKED)
    assert [box[5] if len(box) > 5 else "" for box in found.samples[0].fields["boxes"]] == crowds
