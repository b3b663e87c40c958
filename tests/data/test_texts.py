"""Texts in tables, JSON Lines, Parquet and class folders of files; pairs of columns; columns named on purpose."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from autoft.data import forms, readers
from autoft.data.table import TableReader
from autoft.data.textfolder import TextFolderReader
from autoft.errors import DataError, UsageError
from autoft.options import DataOptions
from autoft.records import ReadOptions
from autoft.registry import load
from autoft.testing import ReaderContract

NEEDS = ReadOptions(needs=("text", "label"))
TASK = SimpleNamespace(inputs=("text",), targets=("label",))


def pairs(dataset):
    return [(sample.fields["text"], sample.fields.get("label")) for sample in dataset.samples]


def opened(data, labelled=True, task=TASK, **options):
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task, labelled=labelled)


@pytest.fixture
def folder(tmp_path):
    """Class folders of texts: `folder({"good/1.txt": "fine"})`; content may be bytes."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / "texts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "texts"

    return write


class TestTextFolderReader(ReaderContract):
    reader = TextFolderReader
    options = NEEDS
    targets = ("label",)

    def write(self, folder) -> str:
        for split in ("train", "test"):
            for name in ("good", "bad"):
                place = folder / "texts" / split / name
                place.mkdir(parents=True)
                for number in range(3):
                    (place / f"{number}.txt").write_text(f"{name} {number}\n")
        return str(folder / "texts")

    def write_damaged(self, folder) -> str:
        source = self.write(folder)
        (folder / "texts" / "train" / "good" / "empty.txt").touch()
        (folder / "texts" / "train" / "good" / "noise.txt").write_bytes(bytes(range(256)))
        return source


def test_class_folders_of_texts(folder):
    source = folder({
        "good/a.txt": "fine\nand lovely\n",
        "good/b.txt": "schön".encode("latin-1"),
        "bad/c.txt": "\ufeffawful",
        "bad/d.txt": " \n",
        "bad/e.pdf": "no",
    })  # fmt: skip
    dataset = opened(source)
    assert pairs(dataset) == [("awful", "bad"), ("fine\nand lovely", "good"), ("schön", "good")]
    assert dataset.recognised == "class folders: 2 classes, 3 text files (1 utf-8-sig, 1 utf-8, 1 latin-1, guessed)"
    assert [(i.kind, i.subject, i.drops) for i in dataset.issues if i.kind == "empty"] == [("empty", "bad/d.txt", True)]
    assert any(i.kind == "not_text" and not i.drops for i in dataset.issues)


def test_texts_to_predict_on(folder, tmp_path):
    source = folder({"1.txt": "one", "deep/2.txt": "two"})
    assert [s.id for s in opened(source, labelled=False).samples] == ["1.txt", "deep/2.txt"]
    assert pairs(opened(source / "1.txt", labelled=False)) == [("one", None)]
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "README.txt").write_text("about")
    (tmp_path / "table" / "new.csv").write_text("id,text\n1,hello\n")
    assert [s.fields["text"] for s in opened(tmp_path / "table", labelled=False).samples] == ["hello"]


def test_json_lines(tmp_path):
    rows = [{"text": "fine", "label": 1, "more": {"a": 1}}, {"label": 0, "text": "a\nb"}, {"text": "x"}]
    lines = [json.dumps(row) for row in rows]
    (tmp_path / "data.jsonl").write_text("\n".join([*lines[:1], "", "{bad", "[1]", *lines[1:]]), encoding="utf-16")
    dataset = opened(tmp_path / "data.jsonl")
    assert pairs(dataset) == [("fine", "1"), ("a\nb", "0")]
    assert dataset.recognised.startswith("data.jsonl, JSON Lines (utf-16), 3 rows: text in column 'text', label in")
    assert [(i.kind, i.subject) for i in dataset.issues if i.drops] == [
        ("bad_line", "data.jsonl line 3"),
        ("bad_line", "data.jsonl line 4"),
        ("no_label", "data.jsonl line 6"),
    ]
    (tmp_path / "none.jsonl").write_text("1\n2\n")
    with pytest.raises(DataError, match="must be a JSON object, but none is"):
        opened(tmp_path / "none.jsonl")


def test_parts_as_json_lines_and_parquet(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "train.jsonl").write_text('{"sentence": "fine", "label": true}\n{"sentence": "awful", "label": false}')
    parquet.write_table(arrow.table({"sentence": ["dull"], "label": [False]}), tmp_path / "test.parquet")
    dataset = opened(tmp_path)
    assert [(s.split, s.fields["label"]) for s in dataset.samples] == [
        ("test", "false"),
        ("train", "true"),
        ("train", "false"),
    ]


def test_lists_of_labels_in_json_lines_and_parquet(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    options = ReadOptions(needs=("text", "labels"))
    rows = {"text": ["a", "b"], "labels": [["x, y", "z"], []]}
    lines = [json.dumps({key: values[n] for key, values in rows.items()}) for n in range(2)]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    parquet.write_table(arrow.table(rows), tmp_path / "data.parquet")
    for name in ("data.jsonl", "data.parquet"):
        found = TableReader().read(str(tmp_path / name), options)
        assert [s.fields["labels"] for s in found.samples] == [["x, y", "z"], []], name


def test_pairs_of_texts(tmp_path):
    (tmp_path / "nli.tsv").write_text("Premise\thypothesis\tlabel\nit rains\tit is wet\tyes\n\t\tno\nsun\t\tno\n")
    dataset = opened(tmp_path / "nli.tsv", text_col="premise, hypothesis")
    assert pairs(dataset) == [(["it rains", "it is wet"], "yes"), (["sun", ""], "no")]
    assert "texts in columns 'Premise' and 'hypothesis', label in column 'label'" in dataset.recognised
    assert [(i.kind, i.subject) for i in dataset.issues if i.drops] == [("no_text", "nli.tsv line 3")]
    assert forms.texts_of(dataset.samples[0]) == ("it rains", "it is wet")
    assert len(opened(tmp_path / "nli.tsv", labelled=False, text_col="Premise,hypothesis").samples) == 2
    with pytest.raises(UsageError, match="--text-col must name a column"):
        opened(tmp_path / "nli.tsv", text_col="Premise,hypo")


def test_columns_that_a_model_was_trained_on_are_found_again(tmp_path):
    known = {"text": "premise, hypothesis", "label": "verdict"}
    (tmp_path / "new.csv").write_text("hypothesis,Premise,other\nso,if,1\n")

    def read(name, **options):
        source = DataOptions(data=str(tmp_path / name), **options)
        return readers.open_dataset(load(), source, TASK, labelled=False, remembered=known)

    def texts_of(dataset):
        return [sample.fields["text"] for sample in dataset.samples]

    assert texts_of(read("new.csv")) == [["if", "so"]]
    assert texts_of(read("new.csv", text_col="other")) == ["1"], "what is said now comes first"
    (tmp_path / "less.csv").write_text("premise,text\nif,so\n")
    with pytest.raises(DataError, match=r"trained on .premise, hypothesis., but '.*less.csv' has no 'hypothesis'") as e:
        read("less.csv")
    assert "--text-col COLUMN,COLUMN" in e.value.hint
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "1.txt").write_text("a note")
    assert texts_of(read("notes")) == ["a note"], "files have no columns"


def test_columns_that_were_guessed_are_found_again_where_a_table_has_them(tmp_path):
    rows = [f"{n},{'up' if n % 2 else 'down'},what they said in line {n}" for n in range(20)]
    (tmp_path / "old.csv").write_text("\n".join(["nr,mood,remark", *rows]))
    known = opened(tmp_path / "old.csv").columns
    assert known == {"text": "remark", "label": "mood"}

    def read(name, **options):
        source = DataOptions(data=str(tmp_path / name), **options)
        found = readers.open_dataset(load(), source, TASK, labelled=False, guessed=known)
        return [sample.fields["text"] for sample in found.samples]

    (tmp_path / "new.csv").write_text("text,Remark\na long and usual one,this one\n")
    assert read("new.csv") == ["this one"]
    assert read("new.csv", text_col="text") == ["a long and usual one"], "what is said now comes first"
    (tmp_path / "other.csv").write_text("id,text\n7,another table\n")
    assert read("other.csv") == ["another table"], "what was guessed is guessed anew where it is not there"


def test_folders_of_texts_without_a_class_are_no_class(folder):
    source = folder({"train/pos/1.txt": "fine", "train/neg/1.txt": "bad", "train/unsup/1.txt": "who knows"})
    dataset = opened(source)
    assert pairs(dataset) == [("bad", "neg"), ("fine", "pos")]
    assert "train/unsup/ is no class by that name, and left out" in dataset.recognised


def test_a_class_may_be_called_so_where_only_one_other_is_there(folder):
    dataset = opened(folder({"spam/1.txt": "buy", "unsup/1.txt": "hello"}))
    assert {label for _, label in pairs(dataset)} == {"spam", "unsup"} and "left out" not in dataset.recognised


def test_a_named_text_column(tmp_path):
    (tmp_path / "t.csv").write_text('text,"title,short",label\nlong one,short one,x\nlong two,short two,y\n')
    assert pairs(opened(tmp_path / "t.csv", text_col="title,short"))[0] == ("short one", "x")
    with pytest.raises(UsageError, match="--audio-col names a column of audios, but this task has none"):
        opened(tmp_path / "t.csv", audio_col="text")


def test_a_named_recording_column(tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    (tmp_path / "t.jsonl").write_text('{"clean": "a.wav", "noisy": "b.wav", "text": "hello"}')
    task = SimpleNamespace(inputs=("audio",), targets=("transcript",))
    (sample,) = opened(tmp_path / "t.jsonl", task=task, audio_col="noisy").samples
    assert sample.fields == {"audio": str(tmp_path / "b.wav"), "transcript": "hello"}


@pytest.mark.parametrize(
    "table",
    [
        [{"text": "fine", "label": "x"}, {"text": "bad", "label": "y"}],
        {"version": 1, "data": [{"text": "fine", "label": "x"}, {"text": "bad", "label": "y"}]},
        {"text": ["fine", "bad"], "label": ["x", "y"]},
        {"text": {"0": "fine", "1": "bad"}, "label": {"0": "x", "1": "y"}},
    ],
)
def test_json_files_that_hold_a_table(tmp_path, table):
    (tmp_path / "data.json").write_text(json.dumps(table, indent=1))
    dataset = opened(tmp_path)
    assert pairs(dataset) == [("fine", "x"), ("bad", "y")]
    assert dataset.recognised.startswith("data.json, JSON (utf-8), 2 rows")


def test_json_lines_under_the_name_of_json(tmp_path):
    (tmp_path / "data.json").write_text('{"text": "fine", "label": "x"}\n{"text": "bad", "label": "y"}\n')
    assert pairs(opened(tmp_path / "data.json")) == [("fine", "x"), ("bad", "y")]


def test_lines_that_begin_with_their_class(tmp_path):
    lines = "__label__x some  words\n\n__label__y, more, words\n__label__x __label__y both\n"
    (tmp_path / "train.txt").write_text(lines)
    dataset = opened(tmp_path / "train.txt")
    assert pairs(dataset) == [("some  words", "x"), ("more, words", "y")]
    assert [(i.kind, i.subject) for i in dataset.issues if i.drops] == [("no_label", "train.txt line 4")]


def test_lists_of_texts_and_classes_in_txt(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{name} text {n}\t{n % 2}\n" for n in range(12)))
    (tmp_path / "class.txt").write_text("bad\nfine\n")
    dataset = opened(tmp_path)
    assert [sum(s.split == split for s in dataset.samples) for split in ("train", "val", "test")] == [12, 12, 12]
    assert ("train text 1", "fine") in pairs(dataset)


def test_a_column_of_no_numbers_is_refused_with_its_first_value(tmp_path):
    (tmp_path / "t.csv").write_bytes("text,value\ncaf\u00e9,about $2.50\nb,few\n".encode("cp1252"))
    task = SimpleNamespace(inputs=("text",), targets=("value",))
    with pytest.raises(DataError, match="none can be used") as caught:
        opened(tmp_path / "t.csv", task=task)
    assert caught.value.hint == "The first value is 'about $2.50'. Name the column of numbers: --target COLUMN"


def test_prediction_asks_for_texts_alone(tmp_path):
    with pytest.raises(DataError, match=r"gives what this task needs: text\.$"):
        readers.open_dataset(load(), DataOptions(data=str(tmp_path)), TASK, labelled=False)


def test_files_that_are_no_texts_are_said(tmp_path):
    for name in ("spam/1.eml", "spam/2.eml", "ham/1.eml", "ham/readme.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"most files in it are \.eml, and texts are read from tables and \.txt files"):
        readers.open_dataset(load(), DataOptions(data=str(tmp_path / "spam")), TASK)


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (["T-7", "T-9", "T-8"], ["T-7", "T-9", "T-8"]),
        (["1", "1", "2"], ["row 2", "row 3", "row 4"]),
        (["1", "", "2"], None),
    ],
)
def test_rows_to_be_predicted_are_called_by_their_ids(tmp_path, ids, names):
    table = tmp_path / "new.csv"
    table.write_text("ticket_id,text\n" + "".join(f"{name},words {n} of it\n" for n, name in enumerate(ids)))
    found = readers.open_dataset(load(), DataOptions(data=str(table)), TASK, labelled=False)
    assert [sample.id for sample in found.samples] == (names or ["row 2", "row 3", "row 4"])
    table.write_text(table.read_text().replace("text\n", "text,label\n").replace("of it", "of it,x"))
    assert readers.open_dataset(load(), DataOptions(data=str(table)), TASK).samples[0].id == "row 2"
