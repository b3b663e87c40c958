"""JSON files that hold a table in one form or another, and classes in lists of one."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.tabular import read_table
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


def opened(data, inputs="text", **options):
    task = SimpleNamespace(inputs=(inputs,), targets=("label",))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


def text(number):
    return f"some words of text {number}"


ROWS = [{"text": text(number), "label": "abc"[number % 3]} for number in range(30)]


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        {"data": ROWS, "version": 1},
        {f"id{number}": row for number, row in enumerate(ROWS)},
        {f"id{number}": {**row, "more": 1} if number else row for number, row in enumerate(ROWS)},
        {key: [row[key] for row in ROWS] for key in ("text", "label")},
        {key: {str(number): row[key] for number, row in enumerate(ROWS)} for key in ("text", "label")},
        [[row["text"], row["label"]] for row in ROWS],
    ],
)
def test_forms_of_one_table(tmp_path, content):
    (tmp_path / "data.json").write_text(json.dumps(content))
    fields = [sample.fields for sample in opened(tmp_path).samples]
    assert fields == ROWS


@pytest.mark.parametrize("row", [lambda row: row, lambda row: [row["text"], row["label"]]])
def test_a_list_for_each_part(tmp_path, row):
    parts = {"train": ROWS[:18], "val": ROWS[18:24], "test": ROWS[24:], "oos_train": ROWS[:3]}
    (tmp_path / "data_full.json").write_text(json.dumps({key: [row(one) for one in own] for key, own in parts.items()}))
    found = opened(tmp_path)
    assert Counter(sample.split for sample in found.samples) == {"train": 18, "val": 6, "test": 6}
    assert {sample.fields["label"] for sample in found.samples} == {*"abc"}


@pytest.mark.parametrize("form", [dict, lambda pairs: {"labels": [list(pair) for pair in pairs]}])
def test_a_label_for_each_file(tmp_path, picture, form):
    for number in range(12):
        picture(tmp_path / "images" / f"{number}.png", seed=number)
    (tmp_path / "labels.json").write_text(json.dumps(form([(f"{number}.png", number % 3) for number in range(12)])))
    found = opened(tmp_path / "labels.json", "image")
    assert [sample.fields["label"] for sample in found.samples] == ["0", "1", "2"] * 4


def test_all_labels_of_each_file(tmp_path, picture):
    for number in range(4):
        picture(tmp_path / "images" / f"{number}.png", seed=number)
    told = {f"{number}.png": ["a", "b", "c"][: 1 + number % 3] for number in range(4)}
    (tmp_path / "labels.json").write_text(json.dumps(told))
    task = SimpleNamespace(inputs=("image",), targets=("labels",))
    found = readers.open_dataset(load(), DataOptions(data=str(tmp_path)), task)
    assert [sample.fields["labels"] for sample in found.samples] == list(told.values())


def test_few_rows_by_their_ids_are_rows(tmp_path):
    rows = {
        f"n{number}": {"id": f"n{number}", "pitch": number, "on": True, "family": "ab"[number % 2]}
        for number in range(3)
    }
    (tmp_path / "few.json").write_text(json.dumps(rows))
    assert read_table(str(tmp_path / "few.json")).columns == ("id", "pitch", "on", "family")


def test_rows_by_the_names_of_their_files(tmp_path):
    rows = {}
    for number in range(12):
        name = f"bass_{number:03}-025"
        (tmp_path / "audio").mkdir(exist_ok=True)
        (tmp_path / "audio" / f"{name}.wav").write_bytes(b"%d" % number)
        rows[name] = {"note": number, "family": ["bass", "flute"][number % 2], "qualities": [0, 1]}
    (tmp_path / "examples.json").write_text(json.dumps(rows))
    found = opened(tmp_path / "examples.json", "audio", target="family")
    assert [sample.id for sample in found.samples][:2] == ["bass_000-025", "bass_001-025"]
    (tmp_path / "examples.json").write_text(json.dumps({name: {**row, "note_str": name} for name, row in rows.items()}))
    assert "id" not in read_table(str(tmp_path / "examples.json")).columns


def test_lists_of_one_class(tmp_path):
    lines = [json.dumps({"text": row["text"], "labels": [row["label"]]}) + "\n" for row in ROWS]
    (tmp_path / "train.jsonl").write_text("".join(lines))
    assert {sample.fields["label"] for sample in opened(tmp_path).samples} == {*"abc"}
    (tmp_path / "train.jsonl").write_text("".join([*lines, json.dumps({"text": "two", "labels": ["a", "b"]}) + "\n"]))
    with pytest.raises(DataError, match="1 of 31 have several"):
        opened(tmp_path)


@pytest.mark.parametrize("form", [json.dumps, lambda rows: "\n".join(map(json.dumps, rows))])
def test_objects_within_rows_are_columns(tmp_path, form):
    rows = [
        {
            "id": n,
            "meta": {"by": {"id": f"w{n % 3}"}},
            "pair": {"one": text(n), "two": text(-n)},
            "said": {"label": label},
        }
        for n, label in enumerate("abc" * 10)
    ]
    del rows[4]["meta"]
    rows[5]["meta"] = None
    file = tmp_path / "data.jsonl"
    file.write_text(form(rows))
    if form is json.dumps:
        file = file.rename(tmp_path / "data.json")
    assert read_table(str(file)).columns == ("id", "meta.by.id", "pair.one", "pair.two", "said.label")
    found = opened(tmp_path)
    assert [sample.fields["label"] for sample in found.samples] == [*("abc" * 10)]
    assert found.samples[1].fields["text"] == [text(1), text(-1)]
    named = [sample.fields["text"] for sample in opened(tmp_path, text_col="pair.one", target="said.label").samples]
    assert named == [text(n) for n in range(30)]


def _written(folder, rows):
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))


def _flags(n):
    return {"toxic": n % 2, "insult": n % 3 // 2}


META = [{"deleted": n % 5 == 0, "edited": n % 4 == 0, "title": text(-n)} for n in range(40)]


def _labels(folder, **options):
    task = SimpleNamespace(inputs=("text",), targets=("labels",))
    return readers.open_dataset(load(), DataOptions(data=str(folder), **options), task)


def test_what_surrounds_a_text_is_none_of_its_labels(tmp_path):
    _written(tmp_path, [{"text": text(n), **_flags(n), "meta": META[n]} for n in range(40)])
    assert "labels in 2 columns of yes and no (toxic, insult)" in _labels(tmp_path).recognised
    _written(tmp_path, [{"doc": {"text": text(n)}, **_flags(n), "meta": META[n]} for n in range(40)])
    assert "labels in 2 columns of yes and no (toxic, insult)" in _labels(tmp_path).recognised
    _written(tmp_path, [{"text": text(n), "labels": _flags(n), "lang": "en"} for n in range(40)])
    assert "labels in 2 columns of yes and no (labels.toxic, labels.insult)" in _labels(tmp_path).recognised


def test_what_surrounds_a_text_is_no_second_one(tmp_path):
    _written(tmp_path, [{"sentence": text(n), "label": "ab"[n % 2], "meta": META[n]} for n in range(40)])
    assert "text in column 'sentence', label in column 'label'" in opened(tmp_path).recognised
    rows = [{"sentence": text(n), "said": {"label": "ab"[n % 2]}, "meta": META[n]} for n in range(40)]
    _written(tmp_path, rows)
    assert "text in column 'sentence', label in column 'said.label'" in opened(tmp_path).recognised
    both = opened(tmp_path, text_col="sentence,meta.title")
    assert both.samples[1].fields["text"] == [text(1), text(-1)]


def test_what_surrounds_a_text_is_none_of_the_columns_of_one_label(tmp_path):
    rows = [{"text": text(n), "good": n % 2, "bad": 1 - n % 2, "meta": {"deleted": n % 5 == 0}} for n in range(40)]
    _written(tmp_path, rows)
    assert "label in 2 columns of yes and no, one yes in a row" in opened(tmp_path).recognised


def test_a_column_of_objects_may_be_named(tmp_path):
    _written(tmp_path, [{"doc": {"body": text(n)}, "said": {"v": "ab"[n % 2]}} for n in range(30)])
    found = opened(tmp_path, target="said")
    assert {sample.fields["label"] for sample in found.samples} == {'{"v":"a"}', '{"v":"b"}'}
    assert found.samples[1].fields["text"] == text(1)
    (tmp_path / "other.jsonl").write_text(json.dumps({"text": "one"}))
    assert len(opened(tmp_path, target="said").samples) == 30, "the table that has it"


@pytest.mark.parametrize(
    "value",
    [{"bbox": [[1, 2, 3, 4]], "category": [0]}, {str(n): n for n in range(40)}, [{"a": 1}], {"a": [{"b": 1}]}, {}],
)
def test_what_is_no_row_of_plain_values_stays_a_cell(tmp_path, value):
    (tmp_path / "data.jsonl").write_text("\n".join(json.dumps({"file": f"{n}", "objects": value}) for n in range(3)))
    assert read_table(str(tmp_path / "data.jsonl")).columns == ("file", "objects")
