"""CSV, TSV, JSON Lines and Parquet files as columns of words, with delimiter and encoding found out."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import os
from collections.abc import Sequence
from typing import NamedTuple

from autoft.data import encodings, jsonlines
from autoft.data.media import entries, part_word, split_word
from autoft.errors import DataError, UsageError
from autoft.records import Issue

TEXT = (".csv", ".tsv")
JSONL = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


class Table(NamedTuple):
    """One file, as columns of words."""

    path: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Every row has one word per column; numbers and dates are as they were written."""
    numbers: tuple[int, ...]
    """Line of each row in the file (its first line is 1), or its count from 1 in Parquet."""
    described: str
    """`CSV (tab, latin-1)`."""
    issues: tuple[Issue, ...]


def is_table(path: str) -> bool:
    """Whether a file is a table, by its suffix."""
    return path.lower().endswith(TEXT + JSONL + PARQUET)


def tables_in(source: str) -> tuple[tuple[str, str], ...]:
    """(path, split) of the tables that `source` consists of: the file itself; the only table of a folder, one for
    submissions to a contest aside; `train.csv` with `val.csv` or `test.csv`, also called `train_labels.csv`; or one
    table in each of the folders `train/`, `valid/` and `test/`. Empty when it cannot be told."""
    if os.path.isfile(source):
        return ((source, ""),) if is_table(source) else ()
    if not os.path.isdir(source):
        return ()
    found = _tables(source)
    if not found:
        parts = [(_tables(e.path), split_word(e.name)) for e in entries(source) if e.is_dir() and split_word(e.name)]
        held = [(tables, split) for tables, split in parts if tables]
        return tuple((tables[0], split) for tables, split in held) if all(len(t) == 1 for t, _ in held) else ()
    if len(found) == 1:
        return ((found[0], ""),)
    stems = [os.path.splitext(os.path.basename(path))[0] for path in found]
    for word in (split_word, part_word):
        named = tuple((path, word(stem)) for path, stem in zip(found, stems, strict=True))
        words = [split for _, split in named]
        if all(words) and (word is split_word or len(set(words)) == len(words)):
            return named
    return ()


def _tables(folder: str) -> list[str]:
    found = [e.path for e in entries(folder) if e.is_file() and is_table(e.name)]
    return [path for path in found if "submission" not in os.path.basename(path).lower()] or found


def read_table(path: str) -> Table:
    """All rows of one file.

    Raises:
        DataError: it is empty, has one column only, or is not what its suffix says.
        UsageError: Parquet, and pyarrow is not installed.
    """
    try:
        table = _parquet(path) if path.lower().endswith(PARQUET) else _written(path)
    except OSError as error:
        raise DataError(f"the table '{path}' must be readable, but it is not: {error.strerror or error}.") from error
    if not table.rows:
        raise DataError(f"the table '{path}' must have rows, but it has none below the column names.")
    return table


def _written(path: str) -> Table:
    with open(path, "rb") as file:
        found = encodings.decode(file.read())
    if path.lower().endswith(JSONL):
        lines = jsonlines.read(found.text, path)
        return Table(path, lines.columns, lines.rows, lines.numbers, f"JSON Lines ({found.described()})", lines.issues)
    return _text(path, found.text, found.described())


def _text(path: str, text: str, encoding: str) -> Table:
    delimiter = _delimiter(text)
    try:
        lines = list(_lines(text, delimiter))
    except csv.Error as error:
        raise DataError(f"the table '{path}' must be CSV, but it cannot be parsed: {error}.") from error
    if not lines:
        raise DataError(f"the table '{path}' must have rows, but it is empty.")
    columns = tuple(name.strip() for name in lines[0][1])
    rows, numbers, issues = [], [], []
    for number, cells in lines[1:]:
        if len(cells) > len(columns):
            detail = f"{len(cells)} cells, but there are {len(columns)} columns; quote text that holds a delimiter"
            issues.append(Issue(kind="bad_row", subject=f"{os.path.basename(path)} line {number}", detail=detail))
            continue
        rows.append(tuple(cell.strip() for cell in cells) + ("",) * (len(columns) - len(cells)))
        numbers.append(number)
    described = f"{'TSV' if delimiter == chr(9) else 'CSV'} ({DELIMITERS[delimiter]}, {encoding})"
    return Table(path, columns, tuple(rows), tuple(numbers), described, tuple(issues))


def _lines(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank. `newline=""` leaves line ends inside quotes alone."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found, start = [], 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            found.append((start, cells))
        start = reader.line_num + 1
    return found


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into most columns, the same number in each; comma when none does."""
    head = "".join(text.splitlines(keepends=True)[:20])

    def columns(delimiter: str) -> int:
        try:
            widths = [len(cells) for _, cells in _lines(head, delimiter)]
        except csv.Error:
            return 0
        # A quoted cell may be cut off at the end of the head: its line does not count.
        same = [width for width in widths[:-1] or widths if width == widths[0]]
        return widths[0] if widths and len(same) * 10 >= len(widths[:-1] or widths) * 8 else 0

    best = max(DELIMITERS, key=columns)
    return best if columns(best) > 1 else ","


def _parquet(path: str) -> Table:
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(
            f"reading Parquet needs pyarrow, which is not installed: '{path}'.", "pip install 'autoft[parquet]'"
        )
    parquet = importlib.import_module("pyarrow.parquet")
    arrow = importlib.import_module("pyarrow")
    try:
        found = parquet.ParquetFile(path).read()
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
        raise DataError(f"the table '{path}' must be Parquet, but it cannot be read: {error}.") from error
    kinds = zip(found.schema.names, found.schema.types, strict=True)
    plain = [name for name, kind in kinds if not _unreadable(arrow, kind)]
    if not plain:
        raise DataError(f"the table '{path}' must have columns of words or numbers, but all of its columns are nested.")
    cells = [_words(found.column(found.schema.names.index(name)).to_pylist()) for name in plain]
    rows = tuple(zip(*cells, strict=True))
    return Table(path, tuple(plain), rows, tuple(range(1, len(rows) + 1)), "Parquet", ())


def _unreadable(arrow: object, kind: object) -> bool:
    """Bytes, and what is nested, other than lists of words or numbers."""
    types = getattr(arrow, "types")  # noqa: B009
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = getattr(kind, "value_type")  # noqa: B009
    return bool(types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _words(values: Sequence[object]) -> list[str]:
    return [jsonlines.word(value) for value in values]
