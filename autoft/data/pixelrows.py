"""Tables whose rows are pictures: a column for each pixel, beside that of the classes (MNIST and its kin as CSV)."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from autoft.data import rasters, unpack
from autoft.data.media import SUFFIXES
from autoft.data.numbers import is_number
from autoft.errors import DataError
from autoft.records import Issue

if TYPE_CHECKING:
    from autoft.contracts import Array

DELIMITERS: Final = (",", ";", "\t")
PIXELS: Final = "pixels"
"""The column that stands in place of all pixels."""
LABEL: Final = "label"
"""What a column of classes is called that has no name."""
HEAD: Final = 20
"""Lines that are looked at first."""
OTHERS: Final = 20
"""Columns that may stand beside those of pixels."""
CALLED: Final = re.compile(r"(pix(el)?|px|p|x|v|col(umn)?|feature)?[\s_]*#|#x#")
"""Usual names of pixels, `#` for each number in them."""
SURE: Final = 0.95
"""Share of the rows whose values come again in a column of classes."""


class Pixels(NamedTuple):
    """What the lines hold."""

    columns: tuple[str, ...]
    """Those beside the pixels, and one with files of them."""
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    """Line of each row, counted from 1."""
    said: str
    issues: tuple[Issue, ...]


class _Form(NamedTuple):
    delimiter: str
    named: bool
    others: tuple[str, ...]
    """Names of the columns before and behind the pixels."""
    before: int
    """How many of them stand before."""
    shape: rasters.Shape
    doubt: bool = False
    """Of a table without names: the first column or the last one can be the classes."""

    @property
    def pixels(self) -> int:
        return self.shape.rows * self.shape.columns * self.shape.colours


def read(text: str, path: str) -> Pixels | None:
    """The pictures in a table and what stands beside them, or None where its rows are none. Files of the pictures lie
    in the cache.

    Raises:
        DataError: it cannot be told which column holds the classes, or what white is.
        UsageError: the cache cannot be written.
    """
    form = _form(text)
    if form is None:
        return None
    cells: list[tuple[str, ...]] = []
    flat: list[Array] = []
    places: list[int] = []
    issues: list[Issue] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or (number == 1 and form.named):
            continue
        try:
            beside, pixels = _cut(line.rstrip("\r"), form)
            flat.append(rasters.numbers(pixels, form.pixels + form.doubt, form.delimiter))
        except ValueError as error:
            where = f"{os.path.basename(path)} line {number}"
            issues.append(Issue(kind="not_pixels", subject=where, detail=str(error)[:100]))
            continue
        cells.append(beside)
        places.append(number)
    if form.doubt:
        cells, flat = _told(form, flat, path)
    shape = rasters.laid(form.shape, flat)
    files = rasters.files(unpack.digest(path), shape, rasters.top(flat, f"'{path}'"), flat)
    rows = tuple((*beside, file) for beside, file in zip(cells, files, strict=True))
    said = f"each row a picture of {shape.said()}" + ", no line of names" * (not form.named)
    return Pixels((*form.others, PIXELS), rows, tuple(places), said, tuple(issues))


def _form(text: str) -> _Form | None:
    head = text[: 1 << 20].split("\n", HEAD)[:HEAD]
    lines = [line.rstrip("\r") for line in head if line.strip()]
    delimiter = max(DELIMITERS, key=lines[0].count) if lines else ","
    if not lines or lines[0].count(delimiter) < rasters.LEAST - 1:
        return None
    try:
        table = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:  # no table that could be read
        return None
    first, body = [cell.strip() for cell in table[0]], table[1:]
    counted = first == [str(place) for place in range(len(first))]
    named = counted or not all(map(is_number, first))
    if not named:
        body = table
    body = [row for row in body if len(row) == len(first)]
    found = (None if counted else _by_names(first, delimiter)) if named else None
    found = found or (_by_count(len(first), delimiter, named) if counted or not named else None)
    if not found or not body:
        return None
    span = range(found.before, found.before + found.pixels + found.doubt)
    if not all(is_number(row[place]) for row in body for place in span):
        return None
    media = SUFFIXES["image"] | SUFFIXES["audio"]
    beside = [cell for row in body for place, cell in enumerate(row) if place not in span]
    return None if any(os.path.splitext(cell.strip().lower())[1] in media for cell in beside) else found


def _by_names(first: Sequence[str], delimiter: str) -> _Form | None:
    """By columns that are called alike, one beside the other: `pixel0`, `pixel1`; `1x1`, `1x2`."""
    kinds = [re.sub(r"\d+", "#", name.lower()) for name in first]
    most, count = Counter(kinds).most_common(1)[0]
    shape = rasters.square(count)
    start = kinds.index(most)
    together = kinds[start : start + count] == [most] * count
    if not shape or not CALLED.fullmatch(most) or not together or len(first) - count > OTHERS:
        return None
    others = tuple(first[:start]) + tuple(first[start + count :])
    return _Form(delimiter, True, others, start, shape)


def _by_count(width: int, delimiter: str, named: bool) -> _Form | None:
    """A square and a column of classes, which is first or last; or a square alone."""
    if shape := rasters.square(width - 1):
        return _Form(delimiter, named, (LABEL,), 0, shape, doubt=True)
    shape = rasters.square(width)
    return _Form(delimiter, named, (), 0, shape) if shape else None


def _cut(line: str, form: _Form) -> tuple[tuple[str, ...], str]:
    """What stands beside the pixels of a line, and these as they are written.

    Raises:
        ValueError: the line has another number of cells.
    """
    if form.doubt:
        return (), line
    width, behind = form.pixels + len(form.others), len(form.others) - form.before
    if '"' in line:
        cells = next(csv.reader([line], delimiter=form.delimiter))
    elif line.count(form.delimiter) != width - 1:
        cells = line.split(form.delimiter)
    else:
        start = line.split(form.delimiter, form.before)
        end = start[-1].rsplit(form.delimiter, behind) if behind else [start[-1]]
        return tuple(cell.strip() for cell in (*start[:-1], *end[1:])), end[0]
    if len(cells) != width:
        raise ValueError(f"{len(cells)} cells, but there are {width} columns")
    beside = tuple(cell.strip() for cell in (*cells[: form.before], *cells[width - behind :]))
    return beside, form.delimiter.join(cells[form.before : width - behind])


def _told(form: _Form, flat: list[Array], path: str) -> tuple[list[tuple[str, ...]], list[Array]]:
    """Which of both ends is the column of classes: its values are whole and come again, and they are fewer."""
    ends = {place: Counter(float(row[place]) for row in flat) for place in (0, -1)}
    kinds = {place: len(times) for place, times in ends.items() if _are_classes(times)}
    first, last = kinds.get(0), kinds.get(-1)
    if not kinds or (first and last and max(first, last) < 2 * min(first, last)):
        raise DataError(
            f"the first or the last column of '{path}' must be the classes of the pictures, as {form.pixels} others "
            "are their pixels, but it cannot be told which.",
            "Write a first line of names: label,pixel1,pixel2 and so on.",
        )
    place = min(kinds, key=lambda at: kinds[at])
    return [(f"{row[place]:g}",) for row in flat], [row[1:] if place == 0 else row[:-1] for row in flat]


def _are_classes(times: Counter[float]) -> bool:
    again = sum(count for count in times.values() if count > 1)
    return len(times) > 1 and all(value.is_integer() for value in times) and again >= SURE * sum(times.values())
