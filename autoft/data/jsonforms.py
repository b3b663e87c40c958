"""Forms in which JSON files hold a table: rows by their ids, a label for each file, a list for each part, columns."""

from __future__ import annotations

import os
from typing import Any, Final

from autoft.data.media import SUFFIXES, part_word

LEAST: Final = 2
"""Rows that make a table."""
FILE, LABEL, SPLIT = "file", "label", "split"
Rows = list[dict[str, Any]]


def objects(found: Any) -> Rows:
    """The rows of a table, or nothing where it is none."""
    if isinstance(found, list):
        return _listed(found)
    if not isinstance(found, dict) or not found:
        return []
    if rows := _parts(found):
        return rows
    lists = [value for value in found.values() if isinstance(value, list)]
    tables = [value for value in lists if value and all(isinstance(row, dict) for row in value)]
    if len(tables) == 1:
        return list(tables[0])
    if len(found) == 1 and lists:
        return _pairs(lists[0])
    if all(isinstance(value, dict) for value in found.values()) and _by_id(found):
        return _identified(found)
    if len(found) >= LEAST and (all(map(_plain, found.values())) or _lists_of_files(found)):
        return [{FILE: key, LABEL: value} for key, value in found.items()]
    return _columns(found)


def _listed(found: list[Any]) -> Rows:
    """A list of objects, or of lists that are as long as each other."""
    if found and all(isinstance(row, dict) for row in found):
        return found
    lengths = {len(row) if isinstance(row, list) and all(map(_plain, row)) else 0 for row in found}
    if len(found) < LEAST or len(lengths) != 1 or lengths <= {0, 1}:
        return []
    return [{f"column {place}": value for place, value in enumerate(row, 1)} for row in found]


def _parts(found: dict[str, Any]) -> Rows:
    """`{"train": [...], "test": [...]}`: rows with the part that each is of. Lists of other names are no part."""
    named = {key: _listed(value) for key, value in found.items() if part_word(key) and isinstance(value, list)}
    if len(named) < LEAST or "train" not in {part_word(key) for key in named}:
        return []
    return [{**row, SPLIT: key} for key, rows in named.items() for row in rows]


def _pairs(found: list[Any]) -> Rows:
    """`[["a.png", 3], ["b.png", 0]]`, as StyleGAN's `dataset.json` has them."""
    if len(found) < LEAST or not all(
        isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) for row in found
    ):
        return []
    return [{FILE: name, LABEL: label} for name, label in found]


def _by_id(found: dict[str, Any]) -> bool:
    """Whether an object of objects has a row for each key, and not a column: rows are more than columns, and columns
    have the same rows."""
    inside = {key for row in found.values() for key in row}
    even = len({tuple(row) for row in found.values()}) == 1
    if not inside or (even and all(key.isdigit() for key in inside)):
        return False
    return len(found) > len(inside) or not even or _mixed(found, inside)


def _mixed(found: dict[str, Any], inside: set[str]) -> bool:
    """Whether what stands in one object is of several kinds, and what has one name is of one: rows, though few."""
    across = all(len({type(row[key]) for row in found.values()}) == 1 for key in inside)
    return across and all(len(set(map(type, row.values()))) > 1 for row in found.values())


def _identified(found: dict[str, Any]) -> Rows:
    """The rows with their ids in a column of their own, unless another says the same."""
    columns = {key for row in found.values() for key in row}
    if any(all(row.get(name) == key for key, row in found.items()) for name in columns):
        return list(found.values())
    name = "id" if "id" not in columns else "key"
    return [{name: key, **row} for key, row in found.items()]


def _lists_of_files(found: dict[str, Any]) -> bool:
    """`{"a.png": ["cat", "dog"]}`: all labels of each file."""
    media = frozenset().union(*SUFFIXES.values())
    lists = all(isinstance(value, list) and all(map(_plain, value)) for value in found.values())
    return lists and all(os.path.splitext(key)[1].lower() in media for key in found)


def _columns(found: dict[str, Any]) -> Rows:
    """An object of columns that are as long as each other."""
    columns = {key: list(cells.values()) if isinstance(cells, dict) else cells for key, cells in found.items()}
    even = all(isinstance(cells, list) for cells in columns.values())
    if not even or len(columns) < LEAST or len({len(cells) for cells in columns.values()}) != 1:
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)
