"""Which files of a folder are its tables: names of parts, what is left out, folders of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoft.data.tablefiles import find, part_of, tables_in


@pytest.fixture
def found(tmp_path):
    """What is found among empty files with these names: `{name: split}` and the names left out."""

    def look(*names: str):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        tables = find(str(tmp_path))
        parts = {os.path.relpath(path, tmp_path): split for path, split in tables.parts}
        return parts, tables.left_out

    return look


@pytest.mark.parametrize(
    ("names", "parts", "left_out"),
    [
        (["all.csv", "README.md", "labels.txt"], {"all.csv": ""}, ()),
        (["train.csv", "test.csv"], {"train.csv": "train", "test.csv": "test"}, ()),
        (
            ["train.csv", "test.csv", "sample_submission.csv", "test_labels.csv"],
            {"train.csv": "train", "test.csv": "test"},
            ("sample_submission.csv", "test_labels.csv"),
        ),
        (["SubmissionSample.csv"], {}, ()),
        (["submission.csv"], {}, ()),
        (["reddit_submissions.csv"], {"reddit_submissions.csv": ""}, ()),
        (["submissions.csv", "comments.csv"], {"comments.csv": ""}, ("submissions.csv",)),
        (
            ["submissions_train.csv", "submissions_test.csv"],
            {"submissions_train.csv": "train", "submissions_test.csv": "test"},
            (),
        ),
        (
            ["a_train.tsv", "a_trial.tsv", "a_test.tsv"],
            {"a_train.tsv": "train", "a_trial.tsv": "val", "a_test.tsv": "test"},
            (),
        ),
        (["a_train.tsv", "a_trial.tsv", "a_dev.tsv"], {"a_train.tsv": "train", "a_dev.tsv": "val"}, ("a_trial.tsv",)),
        (["fold1_train.csv", "fold1_test.csv", "fold2_train.csv", "fold2_test.csv"], {}, ()),
        (
            ["fold1_train.csv", "fold1_val.csv", "fold1_test.csv"],
            {"fold1_train.csv": "train", "fold1_val.csv": "val", "fold1_test.csv": "test"},
            (),
        ),
        (
            ["train.csv", "test.csv", "folds_5.csv", "folds_10.csv"],
            {"train.csv": "train", "test.csv": "test"},
            ("folds_10.csv", "folds_5.csv"),
        ),
        (
            ["a_train.csv", "a_test.csv", "a_folds_5.csv"],
            {"a_train.csv": "train", "a_test.csv": "test"},
            ("a_folds_5.csv",),
        ),
        (["s-train/all.json", "s-test/all.json"], {"s-train/all.json": "train", "s-test/all.json": "test"}, ()),
        (["A_Train/A/y.csv", "A_Test/A/y.csv"], {"A_Train/A/y.csv": "train", "A_Test/A/y.csv": "test"}, ()),
        (["train/train.csv", "images/README"], {"train/train.csv": ""}, ()),
        (["tweets_Train.csv", "tweets_dev.csv"], {"tweets_Train.csv": "train", "tweets_dev.csv": "val"}, ()),
        (
            ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"],
            {
                "train-00000-of-00002.parquet": "train",
                "train-00001-of-00002.parquet": "train",
                "test-00000-of-00001.parquet": "test",
            },
            (),
        ),
        (["data/train.csv", "data/test.csv", "README.md"], {"data/train.csv": "train", "data/test.csv": "test"}, ()),
        (["train/metadata.csv", "test/metadata.csv"], {"train/metadata.csv": "train", "test/metadata.csv": "test"}, ()),
        (["meta/all.csv", "audio/1.wav"], {"meta/all.csv": ""}, ()),
        (["train.json", "val.json"], {"train.json": "train", "val.json": "val"}, ()),
        (["all.csv", "info.json"], {"all.csv": ""}, ()),
        (["train.txt", "test.txt", "class.txt"], {"train.txt": "train", "test.txt": "test"}, ("class.txt",)),
    ],
)
def test_tables_are_told_by_their_names(found, names, parts, left_out):
    assert found(*names) == (parts, left_out)


@pytest.mark.parametrize(
    "names",
    [
        ["one.csv", "two.csv"],
        ["train_a.csv", "train_b.csv", "test.csv"],
        ["train.csv", "train.jsonl", "test.csv"],
        ["notes.txt"],
        ["one/all.csv", "two/all.csv"],
    ],
)
def test_what_cannot_be_told_is_not_guessed(found, names):
    assert found(*names) == ({}, ())


def test_what_may_be_anything_is_no_table_beside_other_files(tmp_path):
    (tmp_path / "info.json").touch()
    assert tables_in(str(tmp_path)) == () and len(find(str(tmp_path)).parts) == 1


def test_a_word_of_a_part_is_a_word_of_its_own():
    assert [part_of(name) for name in ("contest.csv", "my-test_2.csv", "train_test.csv", "trains.csv")] == [
        "",
        "test",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "names", [("train.ft.txt", "test.ft.txt"), ("cnews.train.txt", "cnews.test.txt"), ("msr_train.txt", "msr_test.txt")]
)
def test_parts_in_names_of_text_files(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("1\tsome words\n2\tother words\n")
    (tmp_path / "notes.txt").write_text("what this is\n")
    assert [(Path(path).name, split) for path, split in find(str(tmp_path)).parts] == [
        (names[1], "test"),
        (names[0], "train"),
    ]


def test_prose_in_text_files_is_no_table(tmp_path):
    for name in ("my_train.txt", "my_test.txt"):
        (tmp_path / name).write_text("some words\nother words\n")
    assert not find(str(tmp_path)).parts
