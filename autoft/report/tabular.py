"""Rows as CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def csv_text(rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> str:
    """All rows under the union of their keys, in the order in which the keys first appear."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([safe(head) for head in heads])
    writer.writerows([safe(row.get(head)) for head in heads] for row in rows)
    return out.getvalue()


def csv_rows(rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> Iterator[str]:
    """The same line by line, under the keys of the first row.

    Raises:
        ValueError: a later row has another key.
    """
    heads: list[str] = []
    for row in rows:
        if not heads:
            heads = list(row)
            yield _line([safe(head) for head in heads], delimiter)
        if other := [key for key in row if key not in heads]:
            raise ValueError(f"all rows of a table must have the columns of the first one, but one also has {other}.")
        yield _line([safe(row.get(head)) for head in heads], delimiter)


def _line(cells: Sequence[Any], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return out.getvalue()


def safe(cell: Any) -> Any:
    """A cell that no spreadsheet runs: a text that starts like a formula gets an apostrophe in front."""
    if not isinstance(cell, str) or not cell or cell[0] not in "=+-@\t\r\n":
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
