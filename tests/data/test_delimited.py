"""What delimiters, quotes and first lines mean in files that programs write in different ways."""

from __future__ import annotations

import pytest

from autoft.data.delimited import read
from autoft.errors import DataError

NAMES = ("neg", "pos")


def rows_of(text: str):
    found = read(text, "t.csv")
    return found.columns, list(found.rows)


def test_a_lone_quote_in_a_tsv_is_a_letter_and_swallows_no_lines():
    lines = [f"{chr(34) * (n % 3 == 0)}text {n}\t{NAMES[n % 2]}" for n in range(12)]
    found = read("sentence\tlabel\n" + "\n".join(lines), "t.tsv")
    assert len(found.rows) == 12
    assert found.rows[0] == ('"text 0', "neg")
    assert found.described == "TSV (tab, quotes as letters"


def test_quotes_in_a_tsv_that_hold_a_line_break_stay_quotes():
    found = read('sentence\tlabel\n"one\ntwo"\tneg\nthree\tpos\n', "t.tsv")
    assert found.rows == (("one\ntwo", "neg"), ("three", "pos"))
    assert found.numbers == (2, 4)


def test_a_few_line_breaks_in_a_long_tsv_do_not_make_its_quotes_letters():
    lines = [f'"text {n}{chr(10) * (n == 7)}"\t{NAMES[n % 2]}' for n in range(300)]
    found = read("sentence\tlabel\n" + "\n".join(lines), "t.tsv")
    assert len(found.rows) == 300 and found.rows[0] == ("text 0", "neg")


def test_a_backslash_may_stand_before_a_quote():
    text = "text,label\n" + "".join(f'"he said \\"no, {n}\\", again",{NAMES[n % 2]}\n' for n in range(4))
    assert rows_of(text)[1][1] == ('he said "no, 1", again', "pos")


def test_a_long_text_is_a_cell_like_others():
    text = f"text,label\n{'word ' * 40_000},x\nshort,y\n"
    assert [len(row[0]) for row in rows_of(text)[1]] == [199_999, 5]


def test_the_line_for_spreadsheets_is_none_of_the_table():
    found = read("sep=;\r\ntext;label\r\na, b;x\r\n", "t.csv")
    assert (found.columns, found.rows, found.numbers) == (("text", "label"), (("a, b", "x"),), (3,))


@pytest.mark.parametrize(
    "line",
    [
        lambda n: f"some words {n},{NAMES[n % 2]}",
        lambda n: f"{n % 2},title {n},some words {n}",
        lambda n: f"some words {n},{n / 7:.3f}",
        lambda n: f"clips/{n}.wav,some words {n}",
        lambda n: f"some words {n},{'yn'[n % 2]}",
    ],
)
def test_a_first_line_that_is_data_is_a_row(line):
    columns, rows = rows_of("".join(line(n) + "\n" for n in range(12)))
    assert columns[:2] == ("column 1", "column 2")
    assert len(rows) == 12
    assert read(line(0) + "\n" + line(2) + "\n" + "".join(line(n) + "\n" for n in range(9)), "t").numbers[0] == 1


@pytest.mark.parametrize(
    "names", ["tweet,mood", "0,1", ",0", "text,label", "1,label", "mood,tweet", "2020,words", "some long question,no"]
)
def test_a_first_line_of_names_is_no_row(names):
    body = "".join(f"some words {n},{NAMES[n % 2]}\n" for n in range(12))
    columns, rows = rows_of(f"{names}\n{body}")
    assert columns == tuple(names.split(",")) and len(rows) == 12


def test_a_line_of_names_that_comes_again_is_still_one():
    body = "".join(f"some words {n},{n}\n" for n in range(6))
    assert rows_of(f"tweet,mood\n{body}tweet,mood\n{body}tweet,mood\n")[0] == ("tweet", "mood")


def test_rows_with_too_many_cells_throughout_are_refused_with_the_first():
    with pytest.raises(DataError, match="must have 2 cells, as many as its first line, but all of them have more") as e:
        read("text,label\n" + "so, then,x\n" * 3, "t.csv")
    assert "t.csv line 2, 3 cells" in str(e.value) and "told apart by the comma" in e.value.hint


def test_a_space_before_a_quote_is_no_part_of_the_cell():
    lines = [f'{n}, "some words, {n}", {"ab"[n % 2]}, "x"' for n in range(9)]
    found = read("id, text, label, note\n" + "\n".join(lines), "a.csv")
    assert found.columns == ("id", "text", "label", "note") and not found.issues
    assert found.rows[3] == ("3", "some words, 3", "b", "x")


def test_a_quote_behind_a_space_that_is_never_closed_swallows_nothing():
    assert len(read('text,label\nof 5, "a\n' + "some words,b\n" * 9, "a.csv").rows) == 10
