"""Files that name classes which are numbers: of which data they hold, and which files are such."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.options import DataOptions
from autoft.registry import load

FLOWERS = {"0": "rose", "1": "tulip", "2": "daisy", "3": "aster"}


@pytest.fixture
def opened(tmp_path, picture):
    """What is read of files with these contents, and of pictures in these folders, four in each."""

    def read(files=(), folders=(), data="", needs=("image", "label"), known=None, **options):
        for name, content in dict(files).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        for seed, name in enumerate(f"{folder}/{n}.png" for folder in folders for n in range(4)):
            picture(tmp_path / name, seed=seed)
        task = SimpleNamespace(inputs=needs[:1], targets=needs[1:])
        paths = {flag: str(tmp_path / path) for flag, path in options.items()}
        return readers.open_dataset(load(), DataOptions(data=str(tmp_path / data), **paths), task, **(known or {}))

    return read


def classes(dataset, split=None):
    return {sample.fields["label"] for sample in dataset.samples if split in (None, sample.split)}


def texts(numbers):
    return "\n".join(["text,label", *(f"some words {n} of a text,{numbers[n % len(numbers)]}" for n in range(12))])


# ---- further data --------------------------------------------------------------------------------------------


def test_a_validation_part_elsewhere_has_the_names_of_the_training_data(opened):
    files = {"a/train.csv": texts("012"), "a/names.json": json.dumps({n: FLOWERS[n] for n in "012"})}
    found = opened({**files, "b/val.csv": texts("01")}, needs=("text", "label"), data="a/train.csv", val="b/val.csv")
    assert classes(found, "train") == {"rose", "tulip", "daisy"} and classes(found, "val") == {"rose", "tulip"}
    assert "numbers of classes are named as in the training data" in found.recognised


def test_class_folders_that_lack_a_class_have_the_names_of_the_training_data(opened):
    folders = [f"d/train/{n}" for n in "0123"] + [f"d/valid/{n}" for n in "012"]
    files = {"d/train/names.json": json.dumps(FLOWERS)}
    found = opened(files, folders, data="d/train", val="d/valid")
    assert classes(found, "train") == {*FLOWERS.values()} and classes(found, "val") == {"rose", "tulip", "daisy"}


def test_a_file_beside_further_data_names_them_as_far_as_the_training_data_have_these_names(opened):
    files = {"v/names.json": json.dumps(FLOWERS)}
    folders = [f"a/{name}" for name in FLOWERS.values()] + [f"b/{n}" for n in "012"] + [f"v/{n}" for n in "012"]
    assert classes(opened(files, folders, data="a", val="v"), "val") == {"rose", "tulip", "daisy"}
    numbers = opened(files, data="b", val="v")
    assert classes(numbers, "val") == classes(numbers, "train") == {*"012"}


def test_data_for_a_model_have_the_names_that_it_learned(opened):
    known = {"names": FLOWERS, "classes": tuple(FLOWERS.values())}
    found = opened({"b.csv": texts("03")}, needs=("text", "label"), data="b.csv", known=known)
    assert classes(found) == {"rose", "aster"}


def test_data_for_a_model_whose_classes_are_numbers_keep_them(opened):
    files = {"b.csv": texts("01"), "names.json": json.dumps({n: FLOWERS[n] for n in "01"})}
    found = opened(files, needs=("text", "label"), data="b.csv", known={"classes": ("0", "1", "2")})
    assert classes(found) == {"0", "1"} and not found.names


# ---- which files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "stats.json"])
def test_settings_that_hold_the_same_numbers_name_no_classes(opened, name):
    settings = {f"d/{name}": json.dumps({"seed": 0, "version": 1})}
    assert classes(opened(settings, ["d/0", "d/1"], data="d")) == {"0", "1"}
    table = {**settings, "d/t.csv": texts("01")}
    assert classes(opened(table, needs=("text", "label"), data="d")) == {"0", "1"}


def test_the_names_of_another_set_above_the_folder_are_not_taken(opened):
    files = {"catdog_names.json": json.dumps({"0": "cat", "1": "dog"})}
    found = opened(files, ["xray/0", "xray/1"], data="xray")
    assert classes(found) == {"0", "1"} and "names the classes" not in found.recognised


def test_a_file_that_names_many_classes_may_have_any_name_and_above_must_be_called_so(opened):
    many = json.dumps({str(n): f"kind {n}" for n in range(6)})
    found = opened({"d/list.json": many}, [f"d/{n}" for n in range(6)], data="d")
    assert classes(found) == {f"kind {n}" for n in range(6)}
    found = opened({"list.json": many}, [f"e/{n}" for n in range(6)], data="e")
    assert classes(found) == {str(n) for n in range(6)}
    found = opened({"cat_to_name.json": many}, data="e")
    assert classes(found) == {f"kind {n}" for n in range(6)} and "../cat_to_name.json names" in found.recognised
