"""CSV, TSV, JSON and Parquet files as columns of words, with delimiter and encoding found out."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import NamedTuple

from autoft.data import delimited, encodings, jsonlines, marked
from autoft.data.tablefiles import JSON, JSONL, PARQUET
from autoft.errors import DataError, UsageError
from autoft.records import Issue


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


def read_table(path: str, named: bool | None = None) -> Table:
    """All rows of one file.

    Args:
        named: whether the first line of CSV and the like holds names; None finds it out.

    Raises:
        DataError: it is empty, has one column only, or is not what its suffix says.
        UsageError: Parquet, and pyarrow is not installed.
    """
    try:
        table = _parquet(path) if path.lower().endswith(PARQUET) else _written(path, named)
    except OSError as error:
        raise DataError(f"the table '{path}' must be readable, but it is not: {error.strerror or error}.") from error
    if not table.rows:
        raise DataError(f"the table '{path}' must have rows, but it has none below the column names.")
    return table


def _written(path: str, named: bool | None) -> Table:
    with open(path, "rb") as file:
        found = encodings.decode(file.read())
    if path.lower().endswith(JSONL + JSON):
        whole = jsonlines.whole(found.text) if path.lower().endswith(JSON) else None
        lines = whole or jsonlines.read(found.text, path)
        words = f"{'JSON' if whole else 'JSON Lines'} ({found.described()})"
        return Table(path, lines.columns, lines.rows, lines.numbers, words, lines.issues)
    rows = marked.read(found.text, path) if marked.is_marked(found.text) else delimited.read(found.text, path, named)
    return Table(path, rows.columns, rows.rows, rows.numbers, f"{rows.described}, {found.described()})", rows.issues)


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
