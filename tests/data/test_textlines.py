"""A text in each line: a file for each class, or labels in a file beside."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.textlines import TextLinesReader
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.records import ReadOptions
from autoft.registry import load

NEEDS = ReadOptions(needs=("text", "label"))
TASK = SimpleNamespace(inputs=("text",), targets=("label",))


@pytest.fixture
def folder(tmp_path):
    def write(**files: str):
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return str(tmp_path)

    return write


def lines(word: str, count: int = 6) -> str:
    return "".join(f"{word} {n}\n" for n in range(count))


def counted(source):
    dataset = readers.open_dataset(load(), DataOptions(data=source), TASK)
    return dict(Counter((sample.fields["label"], sample.split) for sample in dataset.samples))


def test_a_file_for_each_class(folder):
    source = folder(pos_dot_txt=lines("fine"), neg_dot_txt=lines("bad", 7), README_dot_txt="about\n")
    assert counted(source) == {("pos", ""): 6, ("neg", ""): 7}
    dataset = TextLinesReader().read(source, NEEDS)
    assert dataset.recognised == "a text in each line of neg.txt, pos.txt: 2 classes, 13 texts"
    assert dataset.samples[0].id == "neg.txt line 1" and dataset.samples[0].fields["text"] == "bad 0"


def test_a_file_for_each_class_in_parts(folder):
    files = {f"{part}__{name}_dot_txt": lines(name) for part in ("train", "test") for name in ("pos", "neg")}
    assert counted(folder(**files)) == {(n, p): 6 for p in ("train", "test") for n in ("pos", "neg")}


def test_classes_may_be_suffixes_of_one_name(folder):
    assert counted(folder(rt_dot_pos=lines("fine"), rt_dot_neg=lines("bad"))) == {("pos", ""): 6, ("neg", ""): 6}


def test_labels_beside_texts_with_names_of_classes(folder):
    files = {}
    for part in ("train", "val", "test"):
        files |= {f"{part}_text_dot_txt": lines("so"), f"{part}_labels_dot_txt": "0\n1\n0\n1\n0\n1\n"}
    source = folder(mapping_dot_txt="0\tcalm\n1\tangry\n", **files)
    assert counted(source) == {(n, p): 3 for p in ("train", "val", "test") for n in ("calm", "angry")}


def test_an_empty_line_keeps_its_label_and_is_named(folder):
    source = folder(train_text_dot_txt="a\n\nc\n", train_labels_dot_txt="x\ny\nz\n")
    dataset = TextLinesReader().read(source, NEEDS)
    assert [tuple(sample.fields.values()) for sample in dataset.samples] == [("a", "x"), ("c", "z")]
    assert [(i.kind, i.subject) for i in dataset.issues] == [("no_text", "train_text.txt line 2")]


def test_another_number_of_labels_is_refused(folder):
    with pytest.raises(DataError, match=r"a label for each line of .*, but it has 2 lines for 3"):
        TextLinesReader().read(folder(train_text_dot_txt="a\nb\nc\n", train_labels_dot_txt="x\ny\n"), NEEDS)


@pytest.mark.parametrize(
    "files",
    [
        {"pos_dot_txt": lines("fine"), "other_dot_txt": "one line\n"},
        {"pos_dot_txt": lines("fine")},
        {"train_dot_txt": lines("a"), "test_dot_txt": lines("b")},
        {"pos_dot_txt": lines("fine"), "neg_dot_txt": lines("bad"), "all_dot_csv": "text,label\n"},
    ],
)
def test_other_folders_are_left_alone(folder, files):
    assert TextLinesReader().sniff(folder(**files), NEEDS) == ""
    with pytest.raises(DataError):
        TextLinesReader().read(folder(**files), NEEDS)


@pytest.mark.parametrize(
    "row", ["{0} text {1}\t{2}\n", "{0} text {1}@{2}\n", "{2}\t{0} text {1}\n", "{0} text {1};{2}\n", "{1}\n"]
)
def test_rows_with_classes_of_their_own_are_no_texts_of_one_class(folder, row):
    files = {name: "".join(row.format(name, n, ("good", "bad")[n % 2]) for n in range(8)) for name in ("shop", "film")}
    assert not TextLinesReader().sniff(folder(**{f"{name}_dot_txt": text for name, text in files.items()}), NEEDS)


@pytest.mark.parametrize("row", ["@united {0} text {1}\n", "{0} text {1};\n", "| {0} text {1} |\n"])
def test_signs_at_the_ends_of_texts_divide_nothing(folder, row):
    files = {f"{name}_dot_txt": "".join(row.format(name, n) for n in range(8)) for name in ("shop", "film")}
    assert counted(folder(**files)) == {("shop", ""): 8, ("film", ""): 8}


@pytest.mark.parametrize(("text", "label"), [("X_dot_txt", "Y_dot_txt"), ("seq_dot_in", "label")])
def test_texts_and_labels_in_two_files_called_so(folder, text, label):
    source = folder(**{text: lines("so"), label: "0\n1\n" * 3, "YL1_dot_txt": "0\n" * 6})
    assert counted(source) == {("0", ""): 3, ("1", ""): 3}


def test_texts_and_labels_in_two_files_of_each_part(folder):
    files = {f"{part}__{name}": text for part in ("train", "valid") for name, text in PAIR.items()}
    assert counted(folder(**files)) == {(word, part): 3 for word in ("play", "book") for part in ("train", "val")}


PAIR = {"seq_dot_in": lines("so"), "label": "play\nbook\n" * 3, "seq_dot_out": "O O\n" * 6}
