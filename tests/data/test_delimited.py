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


def test_lone_quotes_between_commas_are_letters():
    found = read(
        'label,text\npos,"Great movie\nneg,bad film\npos,nice\nneg,"awful thing\npos,good\nneg,boring\n', "t.csv"
    )
    assert (
        len(found.rows) == 6 and found.rows[0] == ("pos", '"Great movie') and found.rows[3] == ("neg", '"awful thing')
    )
    assert found.described == "CSV (comma, quotes as letters"


def test_a_lone_quote_beside_quoted_cells_swallows_no_rows():
    lines = [f'"text {n}, with a comma";{NAMES[n % 2]}' if n % 3 else f"text {n};{NAMES[n % 2]}" for n in range(40)]
    lines[9] = f'"never closed;{NAMES[1]}'
    lines[30] = f'"a line\nand another; one";{NAMES[0]}'
    found = read("text;label\n" + "\n".join(lines), "t.csv")
    assert len(found.rows) == 40 and {row[1] for row in found.rows} == {*NAMES}
    assert found.rows[9] == ('"never closed', "pos") and found.rows[10] == ("text 10, with a comma", "neg")
    assert found.rows[30] == ("a line\nand another; one", "neg") and not found.issues
    assert found.numbers[9:12] == (11, 12, 13)
    assert found.described == "CSV (semicolon, 2 rows behind quotes that are never closed"


def test_rows_behind_a_lone_quote_are_told_by_numbers_too():
    lines = [f'"words, {n}",{n / 7:.3f}' if n % 2 else f"words {n},{n / 7:.3f}" for n in range(40)]
    lines[10], lines[20] = '"open,1.5', 'open",1.25'
    found = read("text,score\n" + "\n".join(lines), "t.csv")
    assert len(found.rows) == 40 and found.rows[10] == ('"open', "1.5")


def test_quoted_texts_of_several_lines_stay_whole():
    text = '"Great, fun\nbad, though\nwell, then",pos\n"one, two\nthree, four",neg\n' + "short,pos\nother,neg\n" * 9
    found = read("text,label\n" + text, "t.csv")
    assert found.rows[0] == ("Great, fun\nbad, though\nwell, then", "pos") and found.rows[1][1] == "neg"
    assert len(found.rows) == 20


def test_quoted_texts_throughout_keep_their_quotes_for_quotes():
    lines = [f'"text {n}",{NAMES[n % 2]}' for n in range(300)]
    lines[7] = '"one, two\nthree",pos'
    found = read("text,label\n" + "\n".join(lines), "t.csv")
    assert len(found.rows) == 300 and found.rows[0] == ("text 0", "neg") and found.rows[7] == ("one, two\nthree", "pos")


def test_what_looks_like_swallowed_rows_is_said():
    text = 'id,text,label\n1,"open,a\n2,words,b\n3,more,c\n4,end",d\n'
    found = read(text + "".join(f'{n}x,"words, {n}",k{n}\n' for n in range(9)), "t.csv")
    (issue,) = found.issues
    assert (issue.kind, issue.subject, issue.detail) == ("swallowed_rows", "t.csv line 2", "one row up to line 5")
    assert not issue.drops


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_quoted_ones(end):
    lines = [f'"text {n}{end}more";1,{n}' for n in range(12)]
    found = read("text;score" + end + end.join(lines) + end, "t.csv")
    assert (
        len(found.rows) == 12 and found.rows[3] == (f"text 3{end}more", "1,3") and found.described == "CSV (semicolon"
    )
