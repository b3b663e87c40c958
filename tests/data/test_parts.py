"""Parts without labels are left out and said; columns of one part are those of the others."""

from __future__ import annotations

import pytest

from autoft.data.table import TableReader
from autoft.errors import DataError
from autoft.records import ReadOptions

NEEDS = ReadOptions(needs=("text", "label"))
TRAIN = "id,text,target\n" + "".join(f"{n},words of {n},{'xy'[n % 2]}\n" for n in range(6))


@pytest.fixture
def parts(tmp_path):
    def write(**tables: str):
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return TableReader().read(str(tmp_path), NEEDS)

    return write


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("id,text\n1,a\n2,b\n", "has no column 'target'"),
        ("id,text,target\n1,a,-1\n2,b,-1\n", "says nothing in column 'target'"),
        ("id,text,target\n1,a,\n2,b,\n", "says nothing in column 'target'"),
    ],
)
def test_a_test_part_without_labels_is_left_out_and_said(parts, test, why):
    dataset = parts(train=TRAIN, test=test, sample_submission="id,target\n1,x\n")
    assert {sample.split for sample in dataset.samples} == {"train"}
    assert {sample.fields["label"] for sample in dataset.samples} == {"x", "y"}
    assert f"test.csv, CSV (comma, utf-8), 2 rows: it {why} and is left out" in dataset.recognised
    assert dataset.recognised.endswith("; not read: sample_submission.csv")
    assert not [issue for issue in dataset.issues if issue.drops]


def test_a_part_without_labels_is_left_out_where_the_user_names_them(tmp_path):
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "test.csv").write_text("id,text\n1,a\n")
    named = ReadOptions(needs=("text", "label"), columns={"label": "target"})
    assert len(TableReader().read(str(tmp_path), named).samples) == 6


def test_minus_one_is_a_class_where_training_has_it(parts):
    dataset = parts(train=TRAIN.replace(",x", ",-1"), test="id,text,target\n1,a,-1\n")
    assert [sample.fields["label"] for sample in dataset.samples if sample.split == "test"] == ["-1"]


def test_other_parts_have_the_columns_of_training(parts):
    dataset = parts(train=TRAIN, test="Text,label,Target\na,no,x\n")
    assert [s.fields for s in dataset.samples if s.split == "test"] == [{"text": "a", "label": "x"}]


@pytest.mark.parametrize("need", ["label", "labels"])
@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("text\na\n", "it has no columns 'good', 'bad' and is left out"),
        ("text,good,bad\na,-1,-1\n", "it says nothing in columns 'good', 'bad' and is left out"),
    ],
)
def test_a_part_without_its_columns_of_yes_and_no_is_left_out(tmp_path, need, test, why):
    (tmp_path / "train.csv").write_text("id,text,good,bad\n1,a,1,0\n2,b,0,1\n")
    (tmp_path / "test.csv").write_text(test)
    dataset = TableReader().read(str(tmp_path), ReadOptions(needs=("text", need)))
    assert [sample.fields[need] for sample in dataset.samples] == (
        ["good", "bad"] if need == "label" else [["good"], ["bad"]]
    )
    assert why in dataset.recognised and not dataset.issues


def test_columns_of_yes_and_no_are_those_of_training_in_other_parts(tmp_path):
    (tmp_path / "train.csv").write_text("text,good,bad\na,1,0\nb,0,1\n")
    (tmp_path / "test.csv").write_text("text,Good,BAD\nc,1,1\nd,0,1\n")
    dataset = TableReader().read(str(tmp_path), NEEDS)
    assert [(s.fields["label"], s.split) for s in dataset.samples] == [
        ("bad", "test"),
        ("good", "train"),
        ("bad", "train"),
    ]
    (issue,) = dataset.issues
    assert issue.kind == "no_flag" and issue.detail == "2 columns say yes, but one class is needed"


def test_columns_named_as_classes_that_are_none_are_refused(tmp_path):
    (tmp_path / "all.csv").write_text("text,good,bad\na,1,1\nb,0,1\n")
    named = ReadOptions(needs=("text", "label"), columns={"label": "good,bad"})
    with pytest.raises(DataError, match="must be the classes of one label, with one yes in each row"):
        TableReader().read(str(tmp_path), named)


def test_a_part_without_texts_is_refused(parts):
    with pytest.raises(DataError, match="must be the text, but none looks like it"):
        parts(train=TRAIN, test="id,target\n1,x\n")
