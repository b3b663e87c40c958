"""Columns that cut recordings into pieces: where each begins, and where it ends or how long it lasts."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from autoft.data.media import is_media, words_of
from autoft.data.pieces import Span
from autoft.data.tabular import Table
from autoft.errors import DataError

_BEGINS = "start starts begin begins beginning onset from xmin tmin starttime begintime starting"
_ENDS = "end ends stop stops finish to xmax tmax endtime stoptime ending"
BEGINS: Final = frozenset(f"{_BEGINS} anfang beginn von startzeit debut inicio inizio".split())
ENDS: Final = frozenset(f"{_ENDS} ende bis endzeit fin fine".split())
LASTS: Final = frozenset("duration dur length len lasts dauer duree duracion durata".split())
"""Also in German, French, Spanish and Italian, without accents."""
OFFSET: Final = "offset"
"""The end of an event beside its onset (DCASE), the beginning of a piece beside its duration (NeMo)."""
UNITS: Final = {
    **dict.fromkeys("s sec secs second seconds sek sekunden secondes segundos secondi".split(), 1.0),
    **dict.fromkeys("ms msec msecs millis millisecond milliseconds millisekunden".split(), 1000.0),
}
"""Word in the name of a column -> how many make a second."""
BESIDE: Final = frozenset("time times t segment seg event clip utterance utt audio speech timestamp at in pos".split())
"""Words that such names may have as well."""
CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d*)?)")
EXACT: Final = re.compile(r"\d{1,2}:\d{2}:\d{2}[.,]\d+")
"""A time to parts of a second: nothing else is written like this."""
ROUNDED: Final = 0.0015
"""Seconds by which a length may differ from what the times say."""
DECIMAL: Final = re.compile(r"^\s*(\d+),(\d+)\s*$")
"""`12,5`: of times no comma sets thousands apart."""
UNNAMED: Final = re.compile(r"column \d+")
"""What the columns of a table without a line of names are called."""
PROBED: Final = 200
"""Rows in which a sign of fractions is looked for."""
LOOKED: Final = 40
"""Recordings whose headers are read to tell seconds from milliseconds."""
HEARD: Final = 0.05
"""Seconds that most pieces last at least: where they do not, the unit is another one."""
SLACK: Final = 1.0
"""Seconds by which a piece may end behind its recording, for files that end a little early."""
FIT: Final = 0.95
"""Share of the recordings in which all pieces must lie."""
SHORTER: Final = 0.9
"""Share of their recordings that most pieces are shorter than, where each file is named once."""

Seconds = Callable[[str], float]
"""What a cell names -> how long the recording is, 0 where that is not known."""


class Cut(NamedTuple):
    """Two columns, and how they are meant."""

    begin: int
    end: int
    lasts: bool
    """The second says how long a piece is."""
    units: float
    """How many make a second."""
    said: str

    def span(self, cells: Sequence[str]) -> Span | None:
        """Where the piece of a row lies; None where the row does not say."""
        begin, end = (time(cells[place], self.units) for place in (self.begin, self.end))
        if begin is None or end is None:
            return None
        end = begin + end if self.lasts else end
        return Span(round(begin, 4), round(end, 4)) if 0 <= begin < end else None


def lengths(path_of: Callable[[str], str]) -> Seconds:
    """How long the recordings are that cells name, by their headers.

    Args:
        path_of: the file that a cell names, or an empty string.
    """
    from autoft.data import audio, images  # tables without recordings are read without them

    def seconds(cell: str) -> float:
        path = path_of(cell)
        try:
            return audio.length(path) if path else 0.0
        except images.BadSample:  # it is named when all files are looked at
            return 0.0

    return seconds


def time(cell: str, units: float = 1.0) -> float | None:
    """Seconds of a number in `units`, with a point or a comma before its fraction, or of a time such as `0:01:12.5`."""
    if clock := CLOCK.fullmatch(cell.strip()):
        hours, minutes, seconds = clock.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds.replace(",", "."))
    try:
        number = float(DECIMAL.sub(r"\1.\2", cell)) / units
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def pair(table: Table, named: Collection[str]) -> tuple[int, int, bool] | None:
    """The places of two columns of times by their names, and whether the second says how long; not those in `named`."""
    words = {place: words_of(_plain(name)) for place, name in enumerate(table.columns) if name not in named}
    kinds = {place: _kind(found) for place, found in words.items() if _kind(found)}
    onset = any("onset" in words[place] for place in kinds)
    begins = [p for p, kind in kinds.items() if kind == "begin" or (kind == OFFSET and not onset)]
    ends = [p for p, kind in kinds.items() if kind == "end" or (kind == OFFSET and onset)]
    lasts = [p for p, kind in kinds.items() if kind == "lasts"]
    for begin in sorted(begins, key=lambda place: kinds[place] == OFFSET):
        others = lasts if kinds[begin] == OFFSET else [*ends, *lasts]
        alike = sorted(others, key=lambda place: (place in lasts, _unit(words[place]) != _unit(words[begin])))
        if alike and all(_are_times(table, place) for place in (begin, alike[0])):
            return begin, alike[0], alike[0] in lasts
    return _unnamed(table) if all(map(UNNAMED.fullmatch, table.columns)) else None


def _unnamed(table: Table) -> tuple[int, int, bool] | None:
    """The first two columns of a table without names that are times, of which the second is later in each row, as ELAN
    exports them: to parts of a second on a clock. Fractions alone could be any two numbers, such as scores: they are
    times where a third column has how long each piece lasts, and pieces of one file lie one behind the other."""
    places = [place for place in range(len(table.columns)) if _are_times(table, place)]
    for begin, end in pairwise(places):
        spans = [(time(row[begin]), time(row[end])) for row in table.rows]
        rising = [(first, last) for first, last in spans if first is not None and last is not None and first < last]
        if len(rising) < len(spans):
            continue
        if all(EXACT.fullmatch(row[place].strip()) for row in table.rows for place in (begin, end)):
            return begin, end, False
        if _lasting(table, rising, set(places) - {begin, end}) and _in_turn(table, rising):
            return begin, end, False
    return None


def _lasting(table: Table, spans: Sequence[tuple[float, float]], others: Collection[int]) -> bool:
    """Whether another column says how long each piece lasts."""
    found = ([time(row[place]) for row in table.rows] for place in others)
    return any(
        all(
            cell is not None and math.isclose(cell, last - first, abs_tol=ROUNDED)
            for cell, (first, last) in zip(cells, spans, strict=True)
        )
        for cells in found
    )


def _in_turn(table: Table, spans: Sequence[tuple[float, float]]) -> bool:
    """Whether recordings are named several times, for pieces that do not overlap."""
    for place in range(len(table.columns)):
        if not all(is_media(row[place], "audio") for row in table.rows):
            continue
        files: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row, span in zip(table.rows, spans, strict=True):
            files[row[place]].append(span)
        pairs = [two for found in files.values() for two in pairwise(sorted(found))]
        return bool(pairs) and all(one[1] <= other[0] + ROUNDED for one, other in pairs)
    return False


def find(table: Table, found: tuple[int, int, bool], column: int, seconds: Seconds) -> Cut | None:
    """How two columns cut the recordings that the rows name in `column`; None where each row is a file of its own.

    Raises:
        DataError: files are cut, but their pieces lie outside them in seconds as well as in milliseconds.
    """
    begin, end, lasts = found
    names = [table.columns[place] for place in (begin, end)]
    rows = {(row[column], row[begin], row[end]) for row in table.rows}
    files = {row[column] for row in table.rows}
    stated = next((units for name in names for units in [_unit(words_of(_plain(name)))] if units), 0.0)
    several = len(rows) > len(files)
    units, lengths = _units(rows, lasts, (stated,) if stated else (1.0, 1000.0) if several else (1.0,), seconds)
    if not several and not (units and lengths and _shorter(rows, lasts, units, lengths)):
        return None
    if not units and all(map(UNNAMED.fullmatch, names)):  # numbers of something else
        return None
    if not units:
        raise DataError(
            f"the columns '{names[0]}' and '{names[1]}' of '{table.path}' must say in seconds or milliseconds which "
            f"pieces of {len(files)} recordings are meant, but many of these are too short for them.",
            "Write seconds into columns start and end, or one file for each piece.",
        )
    said = f"pieces by columns '{names[0]}' and '{names[1]}' ({'seconds' if units == 1 else 'milliseconds'})"
    return Cut(begin, end, lasts, units, said)


def _units(
    rows: Collection[tuple[str, str, str]], lasts: bool, choices: Sequence[float], seconds: Seconds
) -> tuple[float, dict[str, float]]:
    """How many units make a second, 0 where the pieces do not fit into their recordings, and how long some of these
    are: the first of the `choices` in which pieces end before their recordings do, and last long enough to be heard."""
    latest: dict[str, tuple[str, str]] = {}
    for file, begin, end in rows:
        if (time(end) or 0.0) >= (time(latest[file][1]) or 0.0 if file in latest else 0.0):
            latest[file] = begin, end
    some = sorted(latest)[:: max(1, len(latest) // LOOKED)]
    lengths = {file: length for file in some if (length := seconds(file))}
    for units in choices:
        fits = [_end(*latest[file], lasts, units) <= length + SLACK for file, length in lengths.items()]
        wide = median(_end(*row[1:], lasts, units) - (time(row[1], units) or 0.0) for row in rows) >= HEARD
        if not fits or (wide and sum(fits) >= FIT * len(fits)):
            return units, lengths
    return 0.0, lengths


def _shorter(rows: Collection[tuple[str, str, str]], lasts: bool, units: float, lengths: dict[str, float]) -> bool:
    """Whether most pieces are clearly shorter than their recordings."""
    spans: dict[str, float] = defaultdict(float)
    for file, begin, end in rows:
        if file in lengths:
            spans[file] = _end(begin, end, lasts, units) - (time(begin, units) or 0.0)
    return median(spans[file] / lengths[file] for file in spans) < SHORTER


def _end(begin: str, end: str, lasts: bool, units: float) -> float:
    return (time(end, units) or 0.0) + ((time(begin, units) or 0.0) if lasts else 0.0)


def _plain(name: str) -> str:
    """A name without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))


def _kind(words: Sequence[str]) -> str:
    """begin, end, lasts or offset, if a name of these words can be that of such a column."""
    kinds = {
        OFFSET if word == OFFSET else "begin" if word in BEGINS else "end" if word in ENDS else "lasts"
        for word in words
        if word in BEGINS | ENDS | LASTS | {OFFSET}
    }
    others = [word for word in words if word not in BEGINS | ENDS | LASTS | BESIDE | UNITS.keys() | {OFFSET}]
    return kinds.pop() if len(kinds) == 1 and not others else ""


def _unit(words: Sequence[str]) -> float:
    return next((UNITS[word] for word in words if word in UNITS), 0.0)


def _are_times(table: Table, place: int) -> bool:
    filled = [row[place] for row in table.rows if row[place]]
    return bool(filled) and sum(time(cell) is not None for cell in filled) >= FIT * len(filled)
