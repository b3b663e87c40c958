"""Rows of predictions as a file, in the format that its name asks for, one after another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from autoft.errors import UsageError
from autoft.report.tabular import csv_rows
from autoft.vocab import did_you_mean

FORMATS = (".csv", ".tsv", ".json", ".jsonl")
NESTED = (".json", ".jsonl")
"""Those whose rows may hold lists."""
Row = dict[str, Any]


def check(out: str) -> None:
    """Refuse an output file before any work is done.

    Raises:
        UsageError: its format is unknown, it is a folder, or it cannot be written.
    """
    path = Path(out)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--out must end with {', '.join(FORMATS)}, but got '{out}'.{did_you_mean(path.suffix or '.', FORMATS)}"
        )
    if path.is_dir():
        raise UsageError(f"--out must be a file, but '{out}' is a folder.")
    _refuse_locked(path.parent, out)


def check_folder(out: str) -> None:
    """The same of a folder for files.

    Raises:
        UsageError: it is a file, or it cannot be written.
    """
    if Path(out).exists() and not Path(out).is_dir():
        raise UsageError(f"--out must end with {', '.join(FORMATS)} or be a folder, but '{out}' is another file.")
    _refuse_locked(Path(out), out)


def nested(out: str) -> bool:
    return Path(out).suffix.lower() in NESTED


def write(rows: Iterable[Row], out: str) -> int:
    """Write all rows, or leave an older file as it was. Returns how many there are.

    Raises:
        UsageError: the place cannot be written.
    """
    from autoft.atomic import written

    path = Path(out)
    counted = _Counted(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as file:
            for text in pieces(counted, path.suffix.lower()):
                file.write(text)
    except OSError as error:
        raise UsageError(f"'{out}' cannot be written: {error.strerror or error}.") from error
    return counted.number


def pieces(rows: Iterable[Row], suffix: str) -> Iterator[str]:
    """The text of such a file."""
    if suffix == ".json":
        return _json(rows)
    if suffix == ".jsonl":
        return (msgspec.json.encode(row).decode() + "\n" for row in rows)
    return csv_rows(rows, "\t" if suffix == ".tsv" else ",")


class _Counted:
    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows, self.number = rows, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            self.number += 1
            yield row


def _json(rows: Iterable[Row]) -> Iterator[str]:
    """One list, indented as `emit.document` does it."""
    before = "[\n  "
    for row in rows:
        text = msgspec.json.format(msgspec.json.encode(row), indent=2).decode()
        yield before + text.replace("\n", "\n  ")
        before = ",\n  "
    yield "[]\n" if before.startswith("[") else "\n]\n"


def _refuse_locked(folder: Path, out: str) -> None:
    """The nearest folder that exists must take files."""
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    if not there.is_dir():
        raise UsageError(f"'{out}' cannot be written: '{there}' is no folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"'{out}' cannot be written: the folder '{there}' takes no files from this user.")
