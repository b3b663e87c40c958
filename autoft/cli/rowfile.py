"""Rows of predictions as a file, in the format that its name asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from autoft.errors import UsageError
from autoft.report.tabular import csv_text
from autoft.vocab import did_you_mean

FORMATS = (".csv", ".tsv", ".json", ".jsonl")


def check(out: str) -> None:
    """Refuse an output file before any work is done.

    Raises:
        UsageError: its format is unknown, or it is a folder.
    """
    path = Path(out)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--out must end with {', '.join(FORMATS)}, but got '{out}'.{did_you_mean(path.suffix or '.', FORMATS)}"
        )
    if path.is_dir():
        raise UsageError(f"--out must be a file, but '{out}' is a folder.")


def write(rows: Sequence[dict[str, Any]], out: str) -> None:
    """Write all rows, or leave an older file as it was.

    Raises:
        UsageError: the place cannot be written.
    """
    from autoft.atomic import write_text

    path = Path(out)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text(rows, path.suffix.lower()))
    except OSError as error:
        raise UsageError(f"'{out}' cannot be written: {error.strerror or error}.") from error


def text(rows: Sequence[dict[str, Any]], suffix: str) -> str:
    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"
    if suffix == ".jsonl":
        return "".join(msgspec.json.encode(row).decode() + "\n" for row in rows)
    return csv_text(rows, "\t" if suffix == ".tsv" else ",")
