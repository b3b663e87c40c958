"""CSV and its kin as rows of cells. Found out: the delimiter, what quotes mean, whether the first line is names."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from autoft.data import loosequotes
from autoft.data.columns import KNOWN
from autoft.data.loosequotes import Line
from autoft.data.media import SUFFIXES
from autoft.data.numbers import is_number
from autoft.errors import DataError
from autoft.records import Issue

DELIMITERS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
AT: Final = "@"
"""Between each text and its class in the Financial PhraseBank."""
PLAIN: Final = (".txt", "")
"""Suffixes of files that may have it: others say what stands between their cells."""
SOUND: Final = 0.99
"""Share of the lines that must have as many cells as the first, for quotes to be letters."""
PROBE: Final = 1000
"""Rows that are looked at."""
FEW: Final = 5
"""Rows below the first line, from which on it can be compared with them."""
LONGEST: Final = 1 << 30
"""Characters that one cell may have; the library's own limit is 131,072."""
EXCEL: Final = re.compile(r"sep=([,;|\t])\r?\n", re.IGNORECASE)
"""A line for spreadsheets, not of the table."""


class Rows(NamedTuple):
    """What the lines of a file hold."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    """Line of each row, counted from 1."""
    described: str
    """`CSV (comma`, to be ended."""
    issues: tuple[Issue, ...]


def read(text: str, path: str, named: bool | None = None) -> Rows:
    """All rows. Names that the first line does not have become `column 1`, `column 2`.

    Args:
        named: whether the first line holds names; None finds it out.

    Raises:
        DataError: it is empty or cannot be parsed.
    """
    skipped, delimiter = 0, ""
    marked = EXCEL.match(text)
    if marked:
        text, skipped, delimiter = text[marked.end() :], 1, marked[1]
    delimiter = delimiter or _delimiter(text, path)
    try:
        lines, letters = _best(text, delimiter)
        freed = loosequotes.free(lines, text, delimiter, len(lines[0].cells) if lines else 0)
    except csv.Error as error:
        raise DataError(f"the table '{path}' must be CSV, but it cannot be parsed: {error}.") from error
    if not lines:
        raise DataError(f"the table '{path}' must have rows, but it is empty.")
    lines = freed.lines
    named = not _is_data(lines) if named is None else named
    first = lines[0].cells
    columns = tuple(name.strip() for name in first) if named else tuple(f"column {n}" for n in range(1, len(first) + 1))
    rows, numbers, issues = [], [], []
    for number, cells, _ in lines[1:] if named else lines:
        if len(cells) > len(columns):
            detail = f"{len(cells)} cells, but there are {len(columns)} columns; quote text that holds a delimiter"
            where = f"{os.path.basename(path)} line {number + skipped}"
            issues.append(Issue(kind="bad_row", subject=where, detail=detail))
            continue
        rows.append(tuple(cell.strip() for cell in cells) + ("",) * (len(columns) - len(cells)))
        numbers.append(number + skipped)
    if issues and not rows:
        raise DataError(
            f"the rows of '{path}' must have {len(columns)} cells, as many as its first line, but all of them have "
            f"more; the first: {issues[0].subject}, {issues[0].detail}.",
            f"Cells are told apart by the {_called(delimiter)}.",
        )
    words = f"{'TSV' if delimiter == chr(9) else 'CSV'} ({_called(delimiter)}"
    words += ", quotes as letters" * letters + ", no line of names" * (not named)
    words += f", {freed.rows:,} rows behind quotes that are never closed" * bool(freed.rows)
    issues += freed.issues(os.path.basename(path))
    return Rows(columns, tuple(rows), tuple(numbers), words, tuple(issues))


def _best(text: str, delimiter: str) -> tuple[list[Line], bool]:
    """The lines, and whether quotes are letters in them.

    A lone quote would swallow lines up to the next one, silently: where lines have their cells without any quoting, and
    most cells of several lines hold the delimiter, nothing is quoted. A backslash escapes a quote where it mends lines.
    """
    found = _lines(text, delimiter)
    if '"' not in text or not found:
        return found, False
    width = len(found[0].cells)
    broken = [cell for line in found for cell in line.cells if "\n" in cell or "\r" in cell]
    if 2 * sum(delimiter in cell for cell in broken) > len(broken):
        plain = _lines(text, delimiter, quoting=csv.QUOTE_NONE)
        right = sum(len(line.cells) == width for line in plain)
        if right >= SOUND * len(plain) and not _enclosed(plain):
            return plain, True
    if re.search(f'{re.escape(delimiter)} +"', text):
        # `1, "a, b"`: the quote does not stand at the beginning of its cell
        spaced = _lines(text, delimiter, skipinitialspace=True)
        fewer = _wrong(spaced, width) - _wrong(found, width)
        if fewer < 0 or (fewer == 0 and len(spaced) == len(found)):
            found = spaced
    if '\\"' in text:
        escaped = _lines(text, delimiter, escapechar="\\", doublequote=False)
        if _wrong(escaped, width) < _wrong(found, width):
            return escaped, False
    return found, False


def _enclosed(plain: Sequence[Line]) -> bool:
    """Whether most quotes at the ends of cells enclose them, in lines that were read with quotes as letters."""
    edges = [cell for line in plain for cell in line.cells if cell[:1] == '"' or cell[-1:] == '"']
    return 2 * sum(len(cell) > 1 and cell[0] == cell[-1] for cell in edges) > len(edges)


def _wrong(lines: Sequence[Line], width: int) -> int:
    return sum(len(line.cells) != width for line in lines)


def _lines(
    text: str,
    delimiter: str,
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL,
    escapechar: str | None = None,
    doublequote: bool = True,
    skipinitialspace: bool = False,
) -> list[Line]:
    """Every line that is not blank. `newline=""` leaves line ends inside quotes alone."""
    csv.field_size_limit(LONGEST)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=quoting,
        escapechar=escapechar,
        doublequote=doublequote,
        skipinitialspace=skipinitialspace,
    )
    found, start = [], 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            found.append(Line(start, cells, reader.line_num))
        start = reader.line_num + 1
    return found


def _called(delimiter: str) -> str:
    return "at sign" if delimiter == AT else DELIMITERS[delimiter]


def is_marked(lines: Sequence[str]) -> bool:
    """Whether each line ends in a sign and one of few words behind it, `some words .@neutral`, and no usual delimiter
    cuts off such words in all of them."""
    parts = [line.strip().split(AT) for line in lines if line.strip()]
    words = {part[-1] for part in parts}
    if len(parts) < FEW or any(len(part) != 2 or not part[0].strip() for part in parts):
        return False
    if 2 * len(words) > len(parts) or not all(word.isalpha() for word in words):
        return False
    return not any(_has_classes([line.strip().split(sign) for line in lines if line.strip()]) for sign in DELIMITERS)


def _has_classes(rows: Sequence[Sequence[str]]) -> bool:
    """Whether lines have as many cells, two or more, and a column of single words that come again."""
    if len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
        return False
    columns = [{row[place] for row in rows} for place in range(len(rows[0]))]
    return any(2 * len(words) <= len(rows) and not any(re.search(r"\s", word) for word in words) for words in columns)


def _delimiter(text: str, path: str) -> str:
    """The one that cuts the first lines into most columns, the same number in each; comma when none does."""
    lines = text.splitlines(keepends=True)[:20]
    if os.path.splitext(path)[1].lower() in PLAIN and is_marked(lines):
        return AT
    head = "".join(lines)

    def columns(delimiter: str) -> int:
        try:
            widths = [len(line.cells) for line in _lines(head, delimiter, skipinitialspace=True)]
        except csv.Error:
            return 0
        # A quoted cell may be cut off at the end of the head: its line does not count.
        same = [width for width in widths[:-1] or widths if width == widths[0]]
        return widths[0] if widths and len(same) * 10 >= len(widths[:-1] or widths) * 8 else 0

    # A tab is no letter of prose: it goes before commas where both cut lines alike.
    best = max(DELIMITERS, key=lambda delimiter: (columns(delimiter), delimiter == "\t"))
    return best if columns(best) > 1 else ","


def _is_data(lines: Sequence[Line]) -> bool:
    """Whether the first line is a row like the others: it names a file, or a cell of it stands in its column again, or
    is a number as all others there. A name that columns usually have, and that does not come again, says it is not."""
    first = [cell.strip() for cell in lines[0].cells]
    media = frozenset().union(*SUFFIXES.values())
    if any(os.path.splitext(cell)[1].lower() in media for cell in first):
        return True
    body = [line.cells for line in lines[1:] if [cell.strip() for cell in line.cells] != first]
    if len(body) < FEW or _counted(first):
        return False
    body = body[:: max(1, len(body) // PROBE)]
    like_others = False
    for place, name in enumerate(first):
        filled = [cells[place].strip() for cells in body if place < len(cells) and cells[place].strip()]
        numeric = bool(filled) and all(map(is_number, filled))
        again = filled.count(name) > 1
        if name and not again and (name.lower() in KNOWN or (numeric and not is_number(name))):
            return False
        like_others = like_others or (bool(name) and (numeric or again))
    return like_others


def _counted(first: Sequence[str]) -> bool:
    """Whether the names are 0, 1, 2: a program wrote a table whose columns had none."""
    filled = [cell for cell in first if cell]
    return filled == [str(n) for n in range(len(filled))]
