"""A folder around the folder of a data set, as unpacking an archive leaves it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoft.data import readers, wrapped
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


def test_a_folder_around_the_data_is_looked_through(tmp_path, picture, open_data):
    """Cassava: the folder of images was the only class, the table within was not seen."""
    inner = tmp_path / "archive" / "cassava-disease"
    for number in range(6):
        picture(inner / "train_images" / f"{number}.png", seed=number)
    lines = "".join(f"{number}.png,{'xy'[number % 2]}\n" for number in range(6))
    (inner / "train.csv").write_text(f"image_id,label\n{lines}")
    (tmp_path / "archive" / "README.md").write_text("about")
    found = open_data(tmp_path / "archive")
    assert found.reader == "table" and {s.fields["label"] for s in found.samples} == {"x", "y"}
    assert found.recognised.startswith("cassava-disease/: train.csv")


def test_lists_above_the_class_folders_are_seen_through_folders_around_them(classes, open_data, tmp_path):
    """CUB-200 one folder deeper: its parts were lost."""
    root = classes({"a": 3, "b": 3}, under="images", root="outer/CUB")
    paths = [f"{c}/{n:03d}.png" for c in "ab" for n in range(3)]
    (root / "images.txt").write_text("".join(f"{n} {path}\n" for n, path in enumerate(paths)))
    (root / "image_class_labels.txt").write_text("".join(f"{n} {path[0]}\n" for n, path in enumerate(paths)))
    (root / "train_test_split.txt").write_text("".join(f"{n} {int(n % 3 > 0)}\n" for n in range(6)))
    (tmp_path / "outer" / "attributes.txt").write_text("1 has_bill\n")
    found = open_data(tmp_path / "outer")
    assert found.reader == "numbered" and {s.split for s in found.samples} == {"train", "test"}


@pytest.mark.parametrize(
    ("files", "places"),
    [
        (["x/a.png", "README.md"], ["x", ""]),
        (["x/y/a.png"], ["x/y", "x", ""]),
        (["x/a.png", "labels.csv"], [""]),
        (["x/a.png", "b.png"], [""]),
        (["x/a.png", "z/a.png"], [""]),
        (["train/a.png"], ["", "train"]),
        (["x/masks/a.png"], ["x", "", "x/masks"]),
    ],
)
def test_what_lies_alone_goes_before_what_is_around_it(tmp_path, files, places):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert wrapped.places(str(tmp_path)) == [str(tmp_path / place) if place else str(tmp_path) for place in places]


def test_a_folder_of_images_beside_several_tables_is_no_class(classes, open_data):
    """ISIC 2019: its folder of images was the one class."""
    root = classes({"ISIC_Training_Input": 3}, under="ISIC_Training_Input")
    for name in ("GroundTruth.csv", "Metadata.csv"):
        (root / name).write_text("image,kind\n000,x\n001,y\n")
    with pytest.raises(DataError, match="must hold one table, but it holds several"):
        open_data(root)


def test_a_folder_around_such_tables_is_no_class(classes, open_data, tmp_path):
    root = classes({"a": 3}, under="", root="outer/ham")
    for name in ("one.csv", "two.csv"):
        (root / name).write_text("image,kind\n000,x\n001,y\n")
    for source in (tmp_path / "outer", f"{tmp_path}/outer/"):
        with pytest.raises(DataError, match=r"ham' must hold one table"):
            open_data(source)


def test_predictions_take_all_files_below(classes, open_data):
    root = classes({"new": 2})
    assert [sample.id for sample in open_data(root, labelled=False).samples] == ["new/000.png", "new/001.png"]


def test_texts_around_a_data_set(tmp_path):
    task = SimpleNamespace(inputs=("text",), targets=("label",))
    (tmp_path / "bank").mkdir()
    for name in ("one.tsv", "two.tsv"):
        (tmp_path / "bank" / name).write_text("text\tkind\nwords\tx\n")
    (tmp_path / "bank" / "about.txt").write_text("words")
    with pytest.raises(DataError, match="bank"):
        readers.open_dataset(load(), DataOptions(data=str(tmp_path)), task)
