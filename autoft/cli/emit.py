"""One JSON document for machines, and tables for people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import msgspec

from autoft.report.words import line


def document(content: Any, out: TextIO) -> None:
    """Exactly one JSON document and a line end. Numbers that JSON lacks (NaN) become null."""
    text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
    print(text, file=out, flush=True)


def table(rows: Sequence[Mapping[str, Any]], out: TextIO | None = None, *, cut: str = "") -> None:
    """Aligned columns, headed by the keys. On a terminal, the column `cut` is shortened to fit the width."""
    out = out or sys.stdout
    if not rows:
        return
    heads = list(rows[0])
    lines = [heads, *([line(str(row.get(head, ""))) for head in heads] for row in rows)]
    widths = [max(len(cells[i]) for cells in lines) for i in range(len(heads))]
    if cut and out.isatty():
        spare = shutil.get_terminal_size().columns - sum(widths) - 2 * (len(widths) - 1)
        place = heads.index(cut)
        widths[place] = max(12, widths[place] + min(0, spare))
    for cells in lines:
        fitted = (_fit(cell, width) for cell, width in zip(cells, widths, strict=True))
        print("  ".join(fitted).rstrip(), file=out)


def _fit(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)
