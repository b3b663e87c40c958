"""Numbers in tables: points, commas, and what can be read in two ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft.data.numbers import Form, are_numbers, decimal_comma, form, number
from autoft.data.table import TableReader
from autoft.records import ReadOptions


@pytest.mark.parametrize(
    ("cells", "comma"),
    [
        (["3,5", "4"], True),
        (["1,234", "0,5"], True),
        (["1.234,5"], True),
        (["1,234", "2,000"], False),
        (["3,5", "4.5"], False),
        (["1.5", "2"], False),
        ([], False),
    ],
)
def test_a_decimal_comma_is_told_by_the_column(cells: list[str], comma: bool) -> None:
    assert decimal_comma(cells) is comma


def test_numbers_are_read_as_the_column_writes_them() -> None:
    assert number("1.234,5", "here", Form(comma=True)) == (1234.5, None)
    assert number("-3,5", "here", Form(comma=True)) == (-3.5, None)
    assert number("1e3", "here") == (1000.0, None)


@pytest.mark.parametrize("cell", ["1,234", "many", "nan", "inf"])
def test_what_is_no_number_is_named(cell: str) -> None:
    _, issue = number(cell, "line 7")
    assert issue and issue.kind == "no_number" and issue.subject == "line 7" and cell in issue.detail


def test_a_table_says_that_it_has_decimal_commas(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "t.csv").write_text("image;weight\na.png;3,5\nb.png;4\n")
    options = ReadOptions(needs=("image", "value"), columns={"value": "weight"})
    data = TableReader().read(str(tmp_path / "t.csv"), options)
    assert [sample.fields["value"] for sample in data.samples] == [3.5, 4.0]
    assert "'weight' (decimal comma)" in data.recognised


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["995", "1,004", "12,500"], [995, 1004, 12500]),
        (["$1,000", "$ 995", "-$5.50"], [1000, 995, -5.5]),
        (["$1,000", "$1,010"], [1000, 1010]),
        (["5%", "7.5 %", "n/a"], [5, 7.5, None]),
        (["1,234,567", "2,000"], [1234567, 2000]),
        (["1,234.50", "3,000.00", "12"], [1234.5, 3000, 12]),
        (["1.234,50 \u20ac", "3,5 \u20ac"], [1234.5, 3.5]),
        (["1,004", "0,995", "2"], [1.004, 0.995, 2]),
        (["1,004", "2,000"], [None, None]),
        (["1,004", "995", "1500"], [None, 995, 1500]),
        (["$5", "5"], [None, 5]),
        (["$5", "5%"], [None, None]),
    ],
)
def test_signs_and_thousands_are_told_by_the_column(cells: list[str], values: list[float | None]) -> None:
    read = [number(cell, "here", form(cells)) for cell in cells]
    assert [None if issue else value for value, issue in read] == values


def test_which_cells_of_a_column_are_numbers() -> None:
    assert are_numbers(["$1,000", "$5", "none"]) == [True, True, False]


def test_prices_are_guessed_and_a_small_part_is_read_as_the_first(tmp_path: Path) -> None:
    for part, prices in (("train", ["995", "1,004", "12,500", "7"] * 5), ("test", ["1,004", "2,000"] * 5)):
        lines = [f'some words of text {place} in {part},{place % 3},"{price}"\n' for place, price in enumerate(prices)]
        (tmp_path / f"{part}.csv").write_text("text,kind,price\n" + "".join(lines))
    data = TableReader().read(str(tmp_path), ReadOptions(needs=("text", "value"), columns={"value": "price"}))
    assert {s.fields["value"] for s in data.samples if s.split == "test"} == {1004, 2000}
    assert not data.issues and "'price' (commas set thousands apart)" in data.recognised
