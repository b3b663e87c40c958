"""Titles, questions and both halves of pairs are read together, and that is said, kept and held to."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import pytest

from autoft.data import forms, readers
from autoft.data.table import TableReader
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.records import ReadOptions
from autoft.registry import load

TASK = SimpleNamespace(inputs=("text",), targets=("label",))


def short(n):
    return f"about row {n}"


def long(n):
    return f"these are all the words of the row with number {n}"


def mood(n):
    return ("good", "bad")[n % 2]


@pytest.fixture
def table(tmp_path):
    def write(name, columns, rows=20, header=True):
        lines = [[*columns]] * header + [[cell(n) for cell in columns.values()] for n in range(rows)]
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows(lines)
        return tmp_path / name

    return write


def opened(path, **options):
    keep = {key: options.pop(key) for key in ("labelled", "guessed") if key in options}
    return readers.open_dataset(load(), DataOptions(data=str(path), **options), TASK, **keep)


def half(n):
    return long(n) * (n % 2)


@pytest.mark.parametrize(
    ("columns", "texts", "alone"),
    [
        ({"Class Index": mood, "Title": short, "Description": long}, ("Title", "Description"), "Description"),
        ({"question": short, "content": half, "y": mood}, ("question", "content"), "content"),
        ({"y": mood, "q": short, "more": half, "answer": long}, ("q", "more", "answer"), "more"),
        ({"sentence1": long, "sentence2": short, "how": mood}, ("sentence1", "sentence2"), "sentence1"),
        ({"review_body": long, "review_title": short, "how": mood}, ("review_body", "review_title"), "review_body"),
        ({"title": short, "text": long, "subject": mood}, ("title", "text"), "text"),
        ({"my title": long, "it": short, "how": mood}, ("my title", "it"), "'my title'"),
    ],
)
def test_columns_of_prose_are_read_together_and_it_is_said(table, columns, texts, alone):
    dataset = opened(table("t.csv", columns))
    said = f"texts in columns {' and '.join(map(repr, texts))} (--text-col {alone} reads one alone)"
    assert said in dataset.recognised and dataset.columns["text"] == ",".join(texts)
    assert forms.texts_of(dataset.samples[1]) == tuple(columns[name](1) for name in texts)
    assert "text in column" in opened(table("t.csv", columns), text_col=texts[0]).recognised


def test_beside_a_usual_name_other_prose_is_not_read(table):
    dataset = opened(table("t.csv", {"text": long, "selected_text": short, "sentiment": mood}))
    assert "text in column 'text'" in dataset.recognised


def test_what_the_option_could_not_name_is_asked(table):
    with pytest.raises(DataError, match="several could be: so, to speak, words"):
        opened(table("t.csv", {"so, to speak": short, "words": long, "how": mood}))


def test_other_tables_have_the_same_texts(table, tmp_path):
    both = {"Title": short, "Description": long, "label": mood}
    table("train.csv", both)
    few = table("test.csv", {"description": long, "label": mood, "title": short, "remark": long}, rows=6)
    found = opened(tmp_path)
    assert next(forms.texts_of(s) for s in found.samples if s.split == "test") == (short(0), long(0))
    apart = opened(tmp_path / "train.csv", test=str(few))
    assert {len(forms.texts_of(sample)) for sample in apart.samples} == {2}, "six rows alone show nothing"
    table("test.csv", {"description": long, "label": mood})
    with pytest.raises(DataError, match=r"in columns 'Title' and 'Description', but '.*test.csv' has no 'Title'") as e:
        opened(tmp_path)
    assert e.value.hint == "Read one alone: --text-col Description"


def test_a_model_that_learned_several_texts_is_not_given_one(table):
    known = opened(table("old.csv", {"Title": short, "Description": long, "label": mood})).columns
    new = table("new.csv", {"description": long, "other": long, "TITLE": short}, rows=3)
    assert forms.texts_of(opened(new, labelled=False, guessed=known).samples[2]) == (short(2), long(2))
    less = table("less.csv", {"description": long})
    with pytest.raises(DataError, match=r"trained on .Title,Description., but '.*less.csv' has no 'Title'"):
        opened(less, labelled=False, guessed=known)


def test_trees_of_sentences_are_no_texts(tmp_path):
    names = ("sentence1_binary_parse", "sentence1_parse", "sentence1", "sentence2_parse", "sentence2", "gold_label")
    rows = [
        "\t".join([*(f"( some ( words {number} {name} ) )" for name in names[:5]), "ab"[number % 2]])
        for number in range(20)
    ]
    (tmp_path / "a.tsv").write_text("\t".join(names) + "\n" + "\n".join(rows))
    found = TableReader().read(str(tmp_path / "a.tsv"), ReadOptions(needs=("text", "label")))
    assert found.columns == {"text": "sentence1,sentence2", "label": "gold_label"}
