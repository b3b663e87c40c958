"""Several labels in one cell: lists as programs write them, and marks that all cells tell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.labellists import BRACKETS, SPACED, bracketed, said, separator, split
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ('["cat", "big dog"]', ["cat", "big dog"]),
        ("['cat' 'big dog']", ["cat", "big dog"]),
        ("['cat'\n 'dog']", ["cat", "dog"]),
        ("[1 2 30]", ["1", "2", "30"]),
        ("[1. 0.]", ["1", "0"]),
        ("[cat dog]", ["cat", "dog"]),
        ("[cat, big dog]", ["cat", "big dog"]),
        ("array(['cat', 'dog'], dtype=object)", ["cat", "dog"]),
        ("[np.str_('cat'), np.str_('dog')]", ["cat", "dog"]),
        ("[np.int64(1), np.int64(2)]", ["1", "2"]),
        ("[b'cat' b'dog']", ["cat", "dog"]),
        ("['a', nan, None, '']", ["a"]),
        ("[nan 'a']", ["a"]),
        ("['none']", ["none"]),
        ('["it\'s", "a \\"b\\", c"]', ["it's", 'a "b", c']),
        ("['R&B, soul']", ["R&B, soul"]),
        ("[don't know, yes]", ["don't know", "yes"]),
        ("{'a', 'b'}", ["a", "b"]),
        ("[]", []),
        ("", []),
        ("a, b", ["a", "b"]),
    ],
)
def test_lists_as_programs_write_them(cell, wanted):
    assert bracketed(cell, spaced="big dog]" not in cell and "don't" not in cell) == wanted


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["rock, pop", "R&amp;B, jazz", "pop, jazz"] * 30, ","),
        (["rock, pop"] * 99 + ["AC|DC"], ","),
        (["rock, pop", "pop, jazz", "jazz", "rock"] * 30 + ["AC|DC", "AC;DC; jazz"], ","),
        (["rock", "pop", "jazz"] * 30 + ["AC|DC"], ""),
        (["rock", "pop", "jazz"] * 300 + ["rock|pop", "jazz|rock"], "|"),
        (["Smith, John"] * 50 + ["Doe, Jane"] * 40 + ["Smith, John|Doe, Jane"] * 20, "|"),
        (["cat|dog, big", "dog, big"], "|"),
        (["cat; dog", "dog;"], ";"),
        (["cat, dog"], ","),
        (['["a", "b"]'] * 50 + ["a"], BRACKETS),
        (["['a', 'b']"] * 50 + ["nan", ""], BRACKETS),
        (["['a' 'b']", "['b' 'c']"], BRACKETS),
        (["[a b]", "[b]", "[a]", "[b a]"], SPACED),
        (["[great white shark]", "[tiger shark]"], BRACKETS),
        (["[a b, c]", "[c]", "[a b]", "[b]"], BRACKETS),
        ([], ""),
    ],
)
def test_all_cells_tell_the_mark(cells, mark):
    assert separator(cells) == mark


def test_cells_that_are_written_otherwise_are_said():
    cells = ['["a", "b"]'] * 50 + ["a", "nan"]
    assert said(cells, BRACKETS) == "lists in brackets (1 cell has none)"
    assert [split(cell, BRACKETS) for cell in cells[-3:]] == [["a", "b"], ["a"], []]
    assert said(["rock, pop", "AC|DC", "R&amp;B, pop"], ",") == "separated by commas (no separators: bars in 1 cell)"
    assert split("R&amp;B, Q&A", ",") == ["R&B", "Q&A"]
    assert split("cat and dog", "") == ["cat and dog"] and split("a &b; c", ",") == ["a &b; c"]


def opened(path, lines, **options):
    path.write_text("text,label\n" + "".join(f'some words of text {n},"{line}"\n' for n, line in enumerate(lines)))
    task = SimpleNamespace(inputs=("text",), targets=("label",))
    return readers.open_dataset(load(), DataOptions(data=str(path), **options), task)


def test_lists_of_one_are_classes_as_numpy_writes_them(tmp_path):
    found = opened(tmp_path / "a.csv", ["['cat']", "[np.str_('big dog')]", "array(['cat'], dtype=object)"] * 9)
    assert {sample.fields["label"] for sample in found.samples} == {"cat", "big dog"}
    found = opened(tmp_path / "b.csv", ["[great white shark]", "[tiger shark]"] * 9)
    assert {sample.fields["label"] for sample in found.samples} == {"great white shark", "tiger shark"}


def test_two_labels_without_a_comma_are_two(tmp_path):
    with pytest.raises(DataError, match="9 of 18 have several in their list, such as \\['cat' 'dog'\\]"):
        opened(tmp_path / "a.csv", ["['cat' 'dog']", "['cat']"] * 9)
