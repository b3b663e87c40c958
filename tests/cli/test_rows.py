"""Predictions in files and on the screen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoft.cli import emit, rowfile
from autoft.errors import UsageError
from autoft.report import words
from autoft.report.tabular import csv_text, safe

ROWS = [
    {"file": "=cmd|' /C calc'!A0.png", "prediction": 'ant, "the" [red]', "score": 0.5},
    {"file": "zwei\nZeilen.png", "prediction": "-1.5", "score": -0.25},
]


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-a.png", "@SUM(A1)", "\tx", "\rx"])
def test_formulas_are_disarmed(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-1.5", "+3", "a=b", "", -1.5, None, True, "é"])
def test_other_cells_stay(cell: object) -> None:
    assert safe(cell) == cell


def test_csv_reads_back() -> None:
    got = list(csv.DictReader(io.StringIO(csv_text(ROWS))))
    assert got[0]["file"] == "'" + ROWS[0]["file"]
    assert got[0]["prediction"] == ROWS[0]["prediction"]
    assert got[1] == {"file": "zwei\nZeilen.png", "prediction": "-1.5", "score": "-0.25"}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "CSV"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new folder" / f"p.{suffix}"
    rowfile.write(ROWS, str(out))
    text = out.read_text()
    if suffix == "json":
        assert json.loads(text) == ROWS
    elif suffix == "jsonl":
        assert [json.loads(row) for row in text.splitlines()] == ROWS
    else:
        delimiter = "\t" if suffix == "tsv" else ","
        assert [row["score"] for row in csv.DictReader(io.StringIO(text), delimiter=delimiter)] == ["0.5", "-0.25"]


@pytest.mark.parametrize(
    ("name", "said"), [("p.xlsx", "must end with"), ("p", "must end with"), ("d.csv", "is a folder")]
)
def test_refused_before_any_work(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(UsageError, match=said):
        rowfile.check(str(tmp_path / name))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        rowfile.write(ROWS, str(tmp_path / "file" / "p.csv"))


@pytest.mark.parametrize("check", [rowfile.check, rowfile.check_folder])
def test_a_place_below_a_file_is_refused_before_any_work(tmp_path: Path, check: Callable[[str], None]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is no folder"):
        check(str(tmp_path / "file" / "new" / "p.csv"))


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"

    def rows() -> Iterator[dict[str, object]]:
        for number in range(3):
            yield {"file": str(number)}
        assert out.read_text() == "older", "it takes its place when it is whole"

    out.write_text("older")
    assert rowfile.write(rows(), str(out)) == 3
    assert len(out.read_text().splitlines()) == 3 and [path.name for path in tmp_path.iterdir()] == ["p.jsonl"]


def test_a_row_with_a_column_of_its_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one also has"):
        rowfile.write([{"a": 1}, {"a": 1, "b": 2}], str(tmp_path / "p.csv"))


def test_json_of_no_rows_is_a_list() -> None:
    assert json.loads("".join(rowfile.pieces([], ".json"))) == []
    assert json.loads("".join(rowfile.pieces(ROWS, ".json"))) == ROWS


def test_a_table_keeps_one_row_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit.table(ROWS, cut="file")
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_nan_becomes_null() -> None:
    out = io.StringIO()
    emit.document({"score": float("nan")}, out)
    assert json.loads(out.getvalue()) == {"score": None}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        *((0.0, "0"), (1e-5, "1e-5"), (2.12e-5, "2.1e-5"), (0.001, "0.001"), (0.00305, "0.00305"), (1.0, "1")),
        *(
            (64, "64"),
            (1500.0, "1500"),
            (2e6, "2e6"),
            (True, "on"),
            (None, "–"),
            ("adamw", "adamw"),
            (float("nan"), "–"),
        ),
    ],
)
def test_values(number: object, shown: str) -> None:
    assert words.value(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (7.5, "7.5s"), (45, "45s"), (60, "1m"), (90, "1m30s"), (3600, "1h"), (3900, "1h05m"), (14400, "4h")],
)
def test_durations_read_back(seconds: float, shown: str) -> None:
    from autoft.options import seconds as read

    assert words.duration(seconds) == shown
    if seconds:
        assert read(shown) == seconds
