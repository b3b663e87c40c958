"""Rows as CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def csv_text(rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> str:
    """All rows under the union of their keys, in the order in which the keys first appear."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([safe(head) for head in heads])
    writer.writerows([safe(row.get(head)) for head in heads] for row in rows)
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
