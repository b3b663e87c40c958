"""Labels that are not told: a dash among words; and numbers that one part writes with a point."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.options import DataOptions
from autoft.registry import load

WORDS = ("entailment", "neutral", "contradiction")


def opened(data, known=None, **options):
    task = SimpleNamespace(inputs=("text",), targets=("label",))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task, **(known or {}))


def write(path, labels, name="label"):
    lines = [f"some words of text {number} in {path.stem},{label}\n" for number, label in enumerate(labels)]
    path.write_text(f"text,{name}\n" + "".join(lines))


def test_a_rare_dash_among_words_is_no_label(tmp_path):
    write(tmp_path / "train.csv", [*WORDS * 20, "-"])
    write(tmp_path / "dev.csv", [*WORDS * 5, "-"])
    write(tmp_path / "test.csv", ["-"] * 9)
    found = opened(tmp_path)
    assert {sample.fields["label"] for sample in found.samples} == {*WORDS}
    assert Counter(sample.split for sample in found.samples) == {"train": 60, "val": 15}
    assert "train.csv, CSV (comma, utf-8), 61 rows" in found.recognised
    assert "'-' is no label (1 row)" in found.recognised and "test.csv" in found.recognised
    assert [issue.kind for issue in found.issues if issue.drops] == ["no_label"] * 2


@pytest.mark.parametrize("labels", [["+", "-"] * 20, ["mass", "cyst", "-"] * 20, ["1", "0"] * 20 + ["-"]])
def test_another_dash_is_a_class(tmp_path, labels):
    write(tmp_path / "a.csv", labels)
    assert {sample.fields["label"] for sample in opened(tmp_path).samples} == {*labels}


def test_whole_numbers_are_the_same_classes_with_and_without_a_point(tmp_path):
    write(tmp_path / "train.csv", ["0.0", "1.0", "2.0"] * 9 + [""])
    write(tmp_path / "test.csv", ["0", "1", "2"] * 3)
    assert {sample.fields["label"] for sample in opened(tmp_path).samples} == {"0", "1", "2"}


@pytest.mark.parametrize("labels", [["1.0", "1.5", "2"], ["v1.0", "2.0", "3.0"], ["007", "008", "1e3"]])
def test_other_numbers_stay(tmp_path, labels):
    write(tmp_path / "a.csv", labels * 9)
    wanted = {"1", "1.5", "2"} if "1.5" in labels else {*labels}
    assert {sample.fields["label"] for sample in opened(tmp_path, target="label").samples} == wanted


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>"])
def test_what_programs_write_for_nothing_is_no_label(tmp_path, word):
    write(tmp_path / "a.csv", ["pos", "neg", "pos", word] * 20)
    found = opened(tmp_path, max_bad=1)
    assert {sample.fields["label"] for sample in found.samples} == {"pos", "neg"}
    assert f"'{word}' is no label (20 rows)" in found.recognised
    assert [issue.detail for issue in found.issues if issue.drops] == [f"'{word}'"] * 20


@pytest.mark.parametrize("word", ["NA", "None", "NULL", "N/A"])
def test_a_rare_word_for_nothing_is_no_label_and_a_usual_one_is_a_class(tmp_path, word):
    write(tmp_path / "rare.csv", ["DE", "FR"] * 20 + [word])
    found = opened(tmp_path / "rare.csv")
    assert {sample.fields["label"] for sample in found.samples} == {"DE", "FR"}
    assert f"'{word}' is no label (1 row)" in found.recognised
    write(tmp_path / "usual.csv", ["DE", "FR", word] * 20)
    found = opened(tmp_path / "usual.csv")
    assert {sample.fields["label"] for sample in found.samples} == {"DE", "FR", word}
    assert f"'{word}' is a class (20 rows)" in found.recognised


def test_among_numbers_a_word_for_nothing_is_a_class_only_where_it_is_usual(tmp_path):
    write(tmp_path / "a.csv", ["0", "1", "None", "1", "0"] * 9)
    assert {sample.fields["label"] for sample in opened(tmp_path, max_bad=1).samples} == {"0", "1"}
    write(tmp_path / "a.csv", ["none", "none", "1", "2", "3"] * 9)
    found = opened(tmp_path)
    assert {sample.fields["label"] for sample in found.samples} == {"none", "1", "2", "3"}
    assert "'none' is a class (18 rows)" in found.recognised


def test_a_test_part_of_words_for_nothing_cannot_be_scored(tmp_path):
    write(tmp_path / "train.csv", ["pos", "neg"] * 20)
    write(tmp_path / "test.csv", ["NA", "nan"] * 4)
    found = opened(tmp_path)
    assert len(found.samples) == 40 and "test.csv" in found.recognised and "is left out" in found.recognised


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize(("first", "second"), [(10, 3), (4, 10), (0, 10)])
def test_further_data_take_words_for_nothing_as_the_training_data_do(tmp_path, part, first, second):
    write(tmp_path / "a.csv", ["none"] * first + ["pos", "neg"] * ((100 - first) // 2))
    write(tmp_path / "b.csv", ["none"] * second + ["pos"] * (100 - second))
    found = opened(tmp_path / "a.csv", **{part: str(tmp_path / "b.csv")})
    counts = Counter((sample.split, sample.fields["label"]) for sample in found.samples)
    usual = first == 10
    assert counts["train", "none"] == usual * first and counts[part, "none"] == usual * second
    assert f"'none' is {'a class' if usual else 'no label'} ({second} rows)" in found.recognised
    assert not [issue for issue in found.issues if issue.kind == "unseen_class"]


def test_a_model_says_which_words_for_nothing_are_classes(tmp_path):
    write(tmp_path / "a.csv", ["pos", "neg"] * 48 + ["NA"] * 3)
    assert len(opened(tmp_path / "a.csv").samples) == 96
    assert len(opened(tmp_path / "a.csv", {"classes": ("NA", "neg", "pos")}).samples) == 99
    write(tmp_path / "b.csv", ["pos", "NA"] * 9)
    assert len(opened(tmp_path / "b.csv", {"classes": ("neg", "pos")}).samples) == 9


def test_who_predicts_keeps_rows_without_a_label(tmp_path):
    write(tmp_path / "a.csv", ["pos", "neg"] * 48 + ["NA"] * 3)
    found = opened(tmp_path / "a.csv", {"labelled": False})
    assert len(found.samples) == 99 and not found.issues
