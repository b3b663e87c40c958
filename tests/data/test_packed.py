"""Tables that are packed, have no suffix, are wrapped, or whose classes a file beside them names."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.tabular import read_table
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

ROWS = [(f"some words of text {number}", "ab"[number % 2]) for number in range(12)]
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)
JSONL = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS)


def opened(data, target="label", inputs="text", **options):
    task = SimpleNamespace(inputs=(inputs,), targets=(target,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv.gz", CSV), ("A.TSV.GZ", CSV.replace(",", "\t")), ("a.jsonl.gz", JSONL), ("Books_5.json.gz", JSONL)],
)
@pytest.mark.parametrize("folder", [True, False])
def test_a_packed_table(tmp_path, name, text, folder):
    (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    found = opened(tmp_path if folder else tmp_path / name)
    assert [(s.fields["text"], s.fields["label"]) for s in found.samples] == ROWS


def test_packed_parts(tmp_path):
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    assert Counter(sample.split for sample in opened(tmp_path).samples) == {"train": 12, "val": 12, "test": 12}


@pytest.mark.parametrize("damage", [lambda raw: raw[:-9], lambda raw: b"text,label", lambda raw: raw[:20] + b"x" * 20])
def test_a_damaged_packed_table(tmp_path, damage):
    (tmp_path / "a.csv.gz").write_bytes(damage(gzip.compress(CSV.encode() * 50)))
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_table(str(tmp_path / "a.csv.gz"))


def test_a_packed_table_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("autoft.data.tabular.LARGEST", 100)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    with pytest.raises(DataError, match="holds more"):
        read_table(str(tmp_path / "a.csv.gz"))


@pytest.mark.parametrize("folder", [True, False])
def test_a_table_without_a_suffix(tmp_path, folder):
    lines = [f"{'spam' if n % 3 else 'ham'}\tGo until jurong point, number {n}\n" for n in range(12)]
    (tmp_path / "SMSSpamCollection").write_text("".join(lines))
    (tmp_path / "readme").write_text("What this is.\n\nIt is a collection.\n")
    found = opened(tmp_path if folder else tmp_path / "SMSSpamCollection")
    assert Counter(s.fields["label"] for s in found.samples) == {"spam": 8, "ham": 4}
    assert found.samples[0].fields["text"] == "Go until jurong point, number 0"


def test_tables_of_parts_in_a_folder_of_an_archive(tmp_path, picture):
    for part in ("train", "test"):
        picture(tmp_path / f"data/{part}/a_{part}.png"), picture(tmp_path / f"data/{part}/b_{part}.png", seed=1)
        rows = f"file_name,label\na_{part}.png,x\nb_{part}.png,y\n"
        (tmp_path / f"data/{part}/metadata.csv").write_text(rows)
    found = opened(tmp_path, inputs="image")
    assert Counter((s.fields["label"], s.split) for s in found.samples) == {
        (label, part): 1 for label in "xy" for part in ("train", "test")
    }


def test_a_table_in_a_folder_of_an_archive_goes_before_notes_beside_it(tmp_path):
    folder = tmp_path / "dbpedia_csv"
    folder.mkdir()
    for part in ("train", "test"):
        lines = [f'{n % 2 + 1},"Name {n}","A {part} thing with several words, number {n}"\n' for n in range(20)]
        (folder / f"{part}.csv").write_text("".join(lines))
    (folder / "classes.txt").write_text("Company\nArtist\n"), (folder / "readme.txt").write_text("how it was made\n")
    found = opened(tmp_path)
    assert found.reader == "table" and "classes.txt names the classes" in found.recognised
    assert Counter(s.fields["label"] for s in found.samples) == {"Company": 20, "Artist": 20}


@pytest.mark.parametrize("names", ["Company\nArtist\nTree\n", "Company\nCompany\n", "one\n"])
def test_a_list_of_other_names_is_not_taken(tmp_path, names):
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"words {n},{n % 2 + 1}\n" for n in range(6)))
    (tmp_path / "classes.txt").write_text(names)
    assert {s.fields["label"] for s in opened(tmp_path).samples} == {"1", "2"}


def test_texts_that_are_called_by_numbers(tmp_path):
    for part in ("20news-bydate-train", "20news-bydate-test"):
        for label in ("alt.atheism", "sci.space"):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(3):
                (tmp_path / part / label / f"5{number}{len(part)}").write_text(f"Subject: {label} {part} {number}\n")
    (tmp_path / "20news-bydate-train/sci.space/9").write_bytes(b"\0\0")
    found = opened(tmp_path)
    assert Counter((s.fields["label"], s.split) for s in found.samples) == {
        (label, part): 3 for label in ("alt.atheism", "sci.space") for part in ("train", "test")
    }


def test_a_column_that_ends_in_labels(tmp_path, picture):
    lines = ["Image Index,Finding Labels,Follow-up #,Patient Age\n"]
    for number in range(6):
        picture(tmp_path / f"images_001/images/{number:08d}_000.png", seed=number)
        lines.append(
            f"{number:08d}_000.png,{('Hernia|Mass', 'Mass', 'No Finding')[number % 3]},{number},{50 + number}\n"
        )
    (tmp_path / "Data_Entry_2017.csv").write_text("".join(lines))
    found = opened(tmp_path, "labels", "image")
    assert found.samples[0].fields["labels"] == ["Hernia", "Mass"] and len(found.samples) == 6


def test_pixels_that_make_no_square_are_refused_in_words(tmp_path):
    names = ",".join(f"pixel{number}" for number in range(783))
    (tmp_path / "train.csv").write_text(f"label,{names}\n" + f"7{',0' * 783}\n" * 3)
    with pytest.raises(DataError, match="784 columns hold pixels") as caught:
        opened(tmp_path, inputs="image")
    assert "pixel9" not in str(caught.value) and "Write the images as files" in caught.value.hint
