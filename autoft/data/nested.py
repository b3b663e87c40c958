"""Objects within the rows of JSON tables as columns: `said.label` for `{"said": {"label": 1}}`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from autoft.data import lstasks

DEEPEST: Final = 4
"""Objects within objects that are opened."""
WIDEST: Final = 30
"""Keys in the objects of one column at most: where there are more, keys are ids or words, and no names of columns."""
BETWEEN: Final = "."
COCO: Final = frozenset({"images", "annotations", "categories"})
"""Keys of a file that is no table: boxes or shapes, which other tasks read, and which is said by these names."""

Row = dict[str, Any]


class Flat(NamedTuple):
    """Rows, and which of their columns hold such objects."""

    rows: list[Row]
    objects: frozenset[str]
    """Names of the columns that were opened, or could be."""


def flat(rows: Sequence[Row], closed: Collection[str] | None = ()) -> Flat:
    """The rows with a column for each key of the objects that stand in them, where a column holds objects alone, of
    plain values, lists of these and such objects. Lists of numbers or of objects are boxes and the like, whose readers
    look for them as they lie.

    Args:
        closed: columns, in small letters, whose objects stay cells; None: all stay.
    """
    found, objects = list(rows), frozenset[str]()
    if found and found[0].keys() >= COCO:
        return Flat(found, objects)
    for depth in range(DEEPEST):
        inner = {key for key in dict.fromkeys(key for row in found for key in row) if _opens(found, key)}
        if not inner or lstasks.is_short(tuple(found[0])):
            break
        objects = objects if depth else frozenset(inner)
        inner = set() if closed is None else {key for key in inner if key.lower() not in closed}
        found = [_opened(row, inner) for row in found] if inner else found
    return Flat(found, objects)


def name_in(column: str, key: str) -> str:
    """What the column of a key in the objects of a column is called."""
    return f"{column}{BETWEEN}{key}"


def _opens(rows: Sequence[Row], key: str) -> bool:
    objects = [row[key] for row in rows if row.get(key) is not None]
    if not objects or not all(isinstance(value, dict) for value in objects):
        return False
    names = {name for value in objects for name in value}
    taken = {name for row in rows for name in row}
    if not 0 < len(names) <= WIDEST or any(name_in(key, name) in taken for name in names):
        return False
    return all(_is_plain(value) for value in objects)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return True


def _opened(row: Mapping[str, Any], inner: set[str]) -> Row:
    found: Row = {}
    for key, value in row.items():
        if key not in inner:
            found[key] = value
        elif value is not None:
            found.update({name_in(key, name): cell for name, cell in value.items()})
    return found
