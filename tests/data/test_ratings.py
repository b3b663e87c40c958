"""Numbers in lists of files and in names of folders, and a list of classes within a part."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


def opened(data, target="value", **options):
    task = SimpleNamespace(inputs=("image",), targets=(target,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


@pytest.mark.parametrize("form", ["{v} {n}", "{n} {v}", "{n}\t{v}", "{v},  {n}", "distorted/{n} {v}"])
@pytest.mark.parametrize("name", ["mos_with_names.txt", "info/ratings.txt"])
def test_lists_of_files_and_numbers(tmp_path, picture, form, name):
    lines = []
    for number in range(6):
        picture(tmp_path / f"distorted/i{number:02d} 1.bmp", seed=number)
        lines.append(form.format(v=f"{number / 2 + 1:.5f}", n=f"i{number:02d} 1.bmp"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "mos.txt").write_text("1.5\n2.5\n"), (tmp_path / "readme.txt").write_text("how it was rated\n")
    found = opened(tmp_path)
    assert found.reader == "numbers" and not [i for i in found.issues if i.drops]
    assert [sample.fields["value"] for sample in found.samples] == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert found.samples[0].fields["image"] == str(tmp_path / "distorted/i00 1.bmp")
    if "distorted" not in form:
        assert "6 files found by their names in distorted/" in found.recognised
    assert len(opened(tmp_path / name if name == "mos_with_names.txt" else tmp_path).samples) == 6


def test_lists_of_parts_and_lines_that_lead_nowhere(tmp_path, picture):
    for number in range(6):
        picture(tmp_path / f"{number}.png", seed=number)
    (tmp_path / "train.txt").write_text("0.png 1\n1.png 2.5\n2.png -3\nlost.png 4\n")
    (tmp_path / "test.txt").write_text("3.png 1e1\n4.png 7\n\n5.png 2\n")
    found = opened(tmp_path)
    assert Counter(sample.split for sample in found.samples) == {"train": 3, "test": 3}
    assert ("missing", "train.txt line 4: lost.png 4") in {(i.kind, i.subject) for i in found.issues}


def test_two_lists_of_numbers_are_not_guessed(tmp_path, picture):
    picture(tmp_path / "a.png"), picture(tmp_path / "b.png", seed=1)
    for name in ("mos.txt", "std.txt"):
        (tmp_path / name).write_text("a.png 1\nb.png 2\n")
    with pytest.raises(DataError, match="must come with value"):
        opened(tmp_path)
    assert len(opened(tmp_path / "mos.txt").samples) == 2


def test_folders_that_are_called_by_numbers(classes):
    data = classes({"020": 2, "21": 2, "33.5": 2})
    found = opened(data)
    assert Counter(sample.fields["value"] for sample in found.samples) == {20.0: 2, 21.0: 2, 33.5: 2}
    assert "the names of the folders are the numbers to learn" in found.recognised
    assert {sample.fields["label"] for sample in opened(data, "label").samples} == {"020", "21", "33.5"}


def test_folders_that_are_called_by_words_are_no_numbers(classes):
    with pytest.raises(DataError, match="must come with value"):
        opened(classes({"20": 2, "old": 2}))


@pytest.mark.parametrize("line", ["{n}\t{c}\t0\t32\t44\t62", "{n},{c}", "images/{n} {c}"])
def test_a_list_within_a_part_names_the_classes_of_its_files(classes, picture, line):
    data = classes({"n01": 3, "n02": 3}, under="train")
    for number in range(4):
        picture(data / f"val/images/val_{number}.JPEG", seed=100 + number)
    lines = [line.format(n=f"val_{number}.JPEG", c=f"n0{number % 2 + 1}") for number in range(4)]
    (data / "val/val_annotations.txt").write_text("\n".join(lines) + "\n")
    found = opened(data, "label")
    assert Counter((s.fields["label"], s.split) for s in found.samples) == {
        ("n01", "train"): 3, ("n02", "train"): 3, ("n01", "val"): 2, ("n02", "val"): 2,
    }  # fmt: skip
    assert "val/ as its val_annotations.txt says" in found.recognised


def test_a_list_of_other_classes_within_a_part_is_none(classes, picture):
    data = classes({"n01": 3, "n02": 3}, under="train")
    picture(data / "val/images/a.png")
    (data / "val/notes.txt").write_text("a.png blurred\n")
    assert {sample.split for sample in opened(data, "label").samples} == {"train"}


def test_ages_in_the_names_of_faces(tmp_path, picture):
    for number in range(20):
        picture(tmp_path / f"part{number % 2}/{number + 1}_1_3_2017011617452{number:04d}.jpg.chip.jpg", seed=number)
    picture(tmp_path / "part1/61_1_20170109142408075.jpg.chip.jpg", seed=99)
    found = opened(tmp_path)
    assert found.reader == "faces" and "UTKFace" in found.recognised and "the age is the number" in found.recognised
    assert sorted(sample.fields["value"] for sample in found.samples) == [float(n + 1) for n in range(20)]
    assert [(i.kind, i.subject, i.drops) for i in found.issues] == [
        ("no_number", "part1/61_1_20170109142408075.jpg.chip.jpg", True)
    ]
    for number in range(5):
        picture(tmp_path / f"other{number}.jpg", seed=50 + number)
    with pytest.raises(DataError, match="must come with value"):
        opened(tmp_path)
