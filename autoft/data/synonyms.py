"""Two columns that say the same classes: one in numbers, one in names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autoft.data import guess
from autoft.data.numbers import is_number

if TYPE_CHECKING:
    from autoft.data.tabular import Table


def names_of(number: str, free: Sequence[str], cells: Mapping[str, Sequence[str]]) -> str:
    """The column among `free` that names the classes in the column `number`, one name for each; an empty string where
    that column has no classes in numbers, or none or several columns name them.

    Args:
        cells: of each column, row by row.
    """
    if not all(map(is_number, filter(None, cells[number]))) or not guess.is_class(number, cells[number]):
        return ""
    found = [name for name in free if name != number and _names(cells[name], cells[number])]
    return found[0] if len(found) == 1 else ""


def without_numbers(names: Sequence[str], cells: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns without those of numbers that another of them names."""
    return [name for name in names if not names_of(name, names, cells)]


def of_tables(number: str, tables: Sequence[Table], taken: frozenset[str]) -> str:
    """As `names_of`, where all tables that have the numbers have the names as well."""
    first = tables[0]
    free = [name for name in first.columns if name not in taken and first.columns.count(name) == 1]
    cells = {name: [row[place] for row in first.rows] for place, name in enumerate(first.columns)}
    free = [name for name in free if all(_has(name, table) for table in tables if _has(number, table))]
    return names_of(number, free, cells)


def _has(name: str, table: Table) -> bool:
    return name.lower() in [other.lower() for other in table.columns]


def _names(words: Sequence[str], numbers: Sequence[str]) -> bool:
    """Whether each number goes with one word, and each word with one number."""
    filled = {word for word in words if word}
    plain = {word.lower() for word in filled}
    if any(map(is_number, filled)) or plain <= guess.YES | guess.NO:
        return False
    pairs = set(zip(numbers, words, strict=True))
    return len(pairs) == len(set(numbers)) == len({*words}) and "" not in {word for number, word in pairs if number}
