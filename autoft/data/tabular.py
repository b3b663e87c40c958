"""CSV, TSV, JSON and Parquet files as columns of words, with delimiter and encoding found out."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from autoft.data import delimited, encodings, jsonlines, lstasks, marked, parquet
from autoft.data.nested import name_in
from autoft.data.tablefiles import JSON, JSONL, PACKED, PARQUET, TEXT, unpacked
from autoft.errors import DataError
from autoft.records import Issue

LARGEST: Final = 8 << 30
"""Bytes that a packed table may hold."""
HEAD: Final = 1 << 16
"""Bytes at the beginning of a table that tell its columns."""


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
    media: tuple[str, ...] = ()
    """Columns whose files lie in the table itself; their cells are where these were unpacked."""
    objects: frozenset[str] = frozenset()
    """Columns of JSON that hold objects: what is in these are columns (`said.label`), or they are cells."""

    def inner(self) -> set[str]:
        """The columns of what is in objects."""
        return {name for name in self.columns if any(name.startswith(name_in(held, "")) for held in self.objects)}


def read_table(
    path: str,
    named: bool | None = None,
    needs: Sequence[str] = (),
    encoding: str = "",
    closed: Collection[str] | None = (),
) -> Table:
    """All rows of one file.

    Args:
        named: whether the first line of CSV and the like holds names; None finds it out.
        needs: fields that are asked for: media that lie in a table, as files or as numbers, are unpacked into the cache
            where they are needed.
        encoding: of files that have no mark and are not UTF-8; empty guesses it.
        closed: columns, in small letters, of JSON whose objects stay cells; None: all stay.

    Raises:
        DataError: it is empty, has one column only, or is not what its suffix says.
        UsageError: Parquet, and pyarrow is not installed, or the cache cannot be written.
    """
    try:
        if path.lower().endswith(PARQUET):
            table = _parquet(path, needs)
        else:
            table = _written(path, named, needs, encoding, closed)
        table = _pictures(table) if "image" in needs and not table.media else table
        if lstasks.is_short(table.columns):
            table = table._replace(rows=lstasks.listed(table.rows))
    except OSError as error:
        raise DataError(f"the table '{path}' must be readable, but it is not: {error.strerror or error}.") from error
    if not table.rows:
        raise DataError(f"the table '{path}' must have rows, but it has none below the column names.")
    return table


def head(path: str, encoding: str = "") -> tuple[str, ...]:
    """The names of a table's columns, those of objects and of what is in them alike. No more than the beginning is read
    where that says them.

    Raises:
        DataError: as `read_table`.
        UsageError: as `read_table`.
    """
    if not path.lower().endswith(TEXT):
        table = read_table(path, encoding=encoding)
        return (*table.columns, *sorted(table.objects))
    try:
        with open(path, "rb") as file:
            begun = file.read(HEAD)
    except OSError as error:
        raise DataError(f"the table '{path}' must be readable, but it is not: {error.strerror or error}.") from error
    begun = begun[: begun.rfind(b"\n") + 1] if len(begun) == HEAD and b"\n" in begun else begun
    text = encodings.decode(begun, encoding).text
    return (marked.read(text, path) if marked.is_marked(text) else delimited.read(text, path)).columns


def _written(
    path: str, named: bool | None, needs: Sequence[str], encoding: str, closed: Collection[str] | None
) -> Table:
    found = encodings.decode(_bytes(path), encoding)
    issues = found.issues(os.path.basename(path))
    plain = unpacked(path)
    if plain.endswith(JSONL + JSON):
        whole = jsonlines.whole(found.text, closed) if plain.endswith(JSON) else None
        lines = whole or jsonlines.read(found.text, path, closed)
        words = f"{lines.form} ({found.described()})"
        said = (*lines.issues, *issues)
        return Table(path, lines.columns, lines.rows, lines.numbers, words, said, objects=lines.objects)
    if "image" in needs and (pictures := _pixels(path, found)):
        return pictures
    rows = marked.read(found.text, path) if marked.is_marked(found.text) else delimited.read(found.text, path, named)
    words = f"{rows.described}, {found.described()})"
    return Table(path, rows.columns, rows.rows, rows.numbers, words, (*rows.issues, *issues))


def _pixels(path: str, found: encodings.Decoded) -> Table | None:
    """The table with files in place of a column for each pixel, if its rows are pictures."""
    from autoft.data import pixelrows  # it loads numpy

    pictures = pixelrows.read(found.text, path)
    if not pictures:
        return None
    words = f"CSV ({found.described()}), {pictures.said}"
    return Table(path, pictures.columns, pictures.rows, pictures.numbers, words, pictures.issues, (pixelrows.PIXELS,))


def _pictures(table: Table) -> Table:
    """The table with files in place of cells that hold all numbers of a picture, if there is such a column."""
    from autoft.data import pixelcells  # it loads numpy

    found = pixelcells.read(table.columns, table.rows, table.numbers, table.path)
    if not found:
        return table
    return table._replace(
        rows=found.rows,
        numbers=found.numbers,
        described=f"{table.described}, {found.said}",
        issues=(*table.issues, *found.issues),
        media=found.media,
    )


def _bytes(path: str) -> bytes:
    """What stands in a file, unpacked where it is packed.

    Raises:
        DataError: it is damaged, or too large.
    """
    if not path.lower().endswith(PACKED):
        with open(path, "rb") as file:
            return file.read()
    try:
        with gzip.open(path) as packed:
            found = packed.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"the table '{path}' must be packed by gzip, but it cannot be unpacked: {error}.") from error
    if len(found) > LARGEST:
        raise DataError(f"a packed table must hold {LARGEST >> 30} GiB at most, but '{path}' holds more.", "Unpack it.")
    return found


def _parquet(path: str, needs: Sequence[str]) -> Table:
    found = parquet.read(path, needs)
    words = "Arrow" if path.lower().endswith(parquet.ARROW) else "Parquet"
    words += f" ({found.said})" if found.said else ""
    return Table(path, found.names, found.rows, tuple(range(1, len(found.rows) + 1)), words, (), found.media)
