"""Which column is which by what stands in it, where the names of columns do not say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from autoft.data.numbers import are_numbers, is_number

ENOUGH: Final = 10
"""Filled cells from which on a column shows what it holds."""
WORDS: Final = 3
"""Words in a cell, on average, from which on it is prose. Scripts without spaces have a word in `WIDE` letters; where
most are numbers and signs, as in `20000 - 30000/annum`, these do not count."""
WIDE: Final = 2
DISTINCT: Final = 0.5
"""Share of the cells that must differ in a column of prose; in a column of classes at most so many do."""
MOST: Final = 0.9
"""Share of the cells that tells the kind of a column."""
YES: Final = frozenset({"1", "1.0", "true", "yes", "t", "y"})
NO: Final = frozenset({"0", "0.0", "false", "no", "f", "n"})
ID: Final = re.compile(r"(^|[\W_])(id|ids|idx|uuid|guid)([\W_]|$)|[a-z](Id|ID)$|^(Id|ID)$")
COUNT: Final = re.compile(r"(^|[\W_])(index|key|no|nr|row|timestamp|time|date)$", re.IGNORECASE)
MOMENT: Final = re.compile(r"\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{2,4}")
ADDRESS: Final = re.compile(r"(https?|ftp)://\S+$")


def narrow(field: str, names: Sequence[str], probe: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns among `names` that can hold this field by their cells; all of them where too few cells are known.
    Columns that are empty for the most part are none of them."""
    kind = KINDS.get(field)
    filled = {name: len(_filled(probe[name])) for name in names}
    most = max(filled.values(), default=0)
    if kind is None or most < ENOUGH:
        return list(names)
    found = [name for name in names if 2 * filled[name] >= most and kind(name, probe[name])]
    if field == "value":  # of a price and of whether it includes shipping, the price is the number
        return [name for name in found if not {*_filled(probe[name])} <= YES | NO] or found
    return found


def fits(field: str, name: str, cells: Sequence[str]) -> bool:
    """Whether a column can hold this field, as far as its cells show it."""
    kind = KINDS.get(field)
    return kind is None or len(_filled(cells)) < ENOUGH or kind(name, cells)


def shows_prose(name: str, cells: Sequence[str]) -> bool:
    """Whether enough cells are known, and they are prose."""
    return len(_filled(cells)) >= ENOUGH and is_prose(name, cells)


def longest(names: Sequence[str], probe: Mapping[str, Sequence[str]]) -> str:
    """The column with the longest cells on average; empty ones do not count."""
    return max(names, key=lambda name: sum(map(len, probe[name])) / max(1, len(_filled(probe[name]))))


def is_id(name: str, cells: Sequence[str]) -> bool:
    """A name such as `user_id`, and cells that all differ or are numbers; or one such as `date`, and all differ."""
    filled = _filled(cells)
    differ = len(set(filled)) == len(filled)
    if is_named_id(name):
        return differ or all(map(is_number, filled))
    return differ and bool(COUNT.search(name.strip(" .#:")))


def is_named_id(name: str) -> bool:
    """Whether a column is called as ids are: `user_id`, `ReviewId`."""
    return bool(ID.search(name) or ID.search(name.lower()))


def is_prose(name: str, cells: Sequence[str]) -> bool:
    """Several words in most cells, most of them different; no dates, addresses or numbers."""
    filled = _filled(cells)
    if is_id(name, filled) or len(set(filled)) < DISTINCT * len(filled):
        return False
    other = sum(bool(MOMENT.search(cell[:40]) or ADDRESS.match(cell)) or is_number(cell) for cell in filled)
    return other <= (1 - MOST) * len(filled) and sum(map(_words, filled)) >= WORDS * len(filled)


def is_class(name: str, cells: Sequence[str]) -> bool:
    """Two values or more that come again and again, other than fractions."""
    filled = _filled(cells)
    values = set(filled)
    fractions = any(is_number(value) and float(value.replace(",", ".")) % 1 for value in values)
    return 2 <= len(values) <= DISTINCT * len(filled) and not fractions and not is_id(name, filled)


def is_value(name: str, cells: Sequence[str]) -> bool:
    """Numbers that differ."""
    filled = _filled(cells)
    return sum(are_numbers(filled)) >= MOST * len(filled) and len(set(filled)) > 1 and not is_id(name, filled)


KINDS: Final[Mapping[str, Callable[[str, Sequence[str]], bool]]] = {
    "text": is_prose,
    "transcript": is_prose,
    "label": is_class,
    "value": is_value,
}
"""Field -> what its columns are like."""


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if cell]


def _words(cell: str) -> float:
    wide = sum(letter >= "\u2e80" for letter in cell)
    if 2 * wide > len(cell):
        return wide / WIDE
    words = cell.split()
    spelt = sum(any(map(str.isalpha, word)) for word in words)
    return float(len(words) if 2 * spelt >= len(words) else spelt)
