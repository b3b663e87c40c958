"""Numbers in tables: points, commas, and what can be read in two ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft.data.numbers import decimal_comma, number
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
    assert number("1.234,5", "here", comma=True) == (1234.5, None)
    assert number("-3,5", "here", comma=True) == (-3.5, None)
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
