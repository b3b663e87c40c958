"""Rows that a lone quote swallowed: a quote that is never closed makes one cell of all lines up to the next quote."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from autoft.data.numbers import is_number
from autoft.records import Issue

AGAIN: Final = 2
"""Rows in which a value stands, in its column, for a line that has it there to look like a row."""
LONGEST: Final = 60
"""Characters of a value that comes again."""
MANY: Final = 3
"""Lines of a cell that all have the cells of a row: from so many on it is said, even where none is known."""


class Line(NamedTuple):
    """A row of a file."""

    number: int
    cells: list[str]
    last: int
    """The last line of the file that it takes."""


class Freed(NamedTuple):
    """Rows without those that swallowed others, and with these."""

    lines: list[Line]
    rows: int
    """That were freed."""
    doubtful: tuple[Line, ...]
    """Rows that look as if they had swallowed others, and cannot be taken apart."""

    def issues(self, name: str) -> tuple[Issue, ...]:
        """What users should look at."""
        return tuple(
            Issue(
                kind="swallowed_rows",
                subject=f"{name} line {line.number}",
                detail=f"one row up to line {line.last}",
                drops=False,
            )
            for line in self.doubtful
        )


def free(found: Sequence[Line], text: str, delimiter: str, width: int) -> Freed:
    """Each row of several lines that all look like rows themselves, as these rows: a value of theirs stands in the same
    column of other rows, or all values there are numbers. The lone quote is a letter then.

    Args:
        text: of the whole file.
        width: cells of a row.
    """
    if width < 2 or all(line.last == line.number for line in found):
        return Freed(list(found), 0, ())
    written = io.StringIO(text, newline="").readlines()
    inside = {line.number: _inside(line, written, delimiter, width) for line in found if line.last > line.number}
    sound = [line.cells for line in found[1:] if line.last == line.number and len(line.cells) == width]
    known = _known(sound, [row.cells for rows in inside.values() for row in rows], width)
    lines: list[Line] = []
    doubtful: list[Line] = []
    count = 0
    for line in found:
        rows = inside.get(line.number, [])
        if rows and all(_is_known(row.cells, known) for row in rows):
            count += len(rows)
            lines += rows
        else:
            lines.append(line)
            doubtful += [line] * (len(rows) >= MANY)
    return Freed(lines, count, tuple(doubtful))


def _inside(line: Line, written: Sequence[str], delimiter: str, width: int) -> list[Line]:
    """The lines of a row as rows; none where one of them cannot be a row."""
    numbered = [(n, written[n - 1]) for n in range(line.number, line.last + 1) if written[n - 1].strip()]
    rows = [Line(n, _alone(row, delimiter, width), n) for n, row in numbered]
    return rows if len(rows) > 1 and all(row.cells for row in rows) else []


def _alone(row: str, delimiter: str, width: int) -> list[str]:
    """The cells of one line of the file, quotes as letters where one of them is alone; empty if it is no row."""
    row = row.rstrip("\r\n")
    kinds: tuple[Literal[0, 3], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
    for quoting in kinds[row.count('"') % 2 :]:
        cells = next(csv.reader([row], delimiter=delimiter, quoting=quoting), [])
        if len(cells) == width:
            return cells
    return []


class _Known(NamedTuple):
    values: frozenset[str]
    """That come again in a column."""
    numeric: bool
    """All of its values are numbers."""


def _known(sound: Sequence[Sequence[str]], inside: Sequence[Sequence[str]], width: int) -> list[_Known]:
    found = []
    for place in range(width):
        own = Counter(cell for cells in sound if (cell := cells[place].strip()))
        counts = own + Counter(cell for cells in inside if (cell := cells[place].strip()))
        values = frozenset(cell for cell in own if counts[cell] >= AGAIN and len(cell) <= LONGEST)
        found.append(_Known(values, bool(own) and all(map(is_number, own))))
    return found


def _is_known(cells: Sequence[str], known: Sequence[_Known]) -> bool:
    return any(
        cell.strip() in one.values or (one.numeric and is_number(cell.strip()))
        for cell, one in zip(cells, known, strict=True)
    )
