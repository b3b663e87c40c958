"""JSON Lines as a table: an object per line, its keys the columns; and JSON files that hold a table as a whole."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from autoft.data import lstasks, nested
from autoft.errors import DataError
from autoft.records import Issue


class Lines(NamedTuple):
    """What the lines of a file hold."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    """Line of each row, counted from 1."""
    issues: tuple[Issue, ...]
    form: str = "JSON Lines"
    objects: frozenset[str] = frozenset()
    """Columns that hold objects, as `nested` says, whether these were opened or not."""


def read(text: str, path: str, closed: Collection[str] | None = ()) -> Lines:
    """All lines that are objects; others become issues. Keys that a line lacks are empty cells.

    Args:
        closed: see `nested.flat`.

    Raises:
        DataError: no line is an object.
    """
    objects: list[tuple[int, dict[str, Any]]] = []
    issues: list[Issue] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = _object(line)
        if isinstance(found, dict):
            objects.append((number, found))
        else:
            issues.append(Issue(kind="bad_line", subject=f"{os.path.basename(path)} line {number}", detail=found))
    if not objects:
        first = f"; the first: {issues[0].subject} ({issues[0].detail})" if issues else ""
        raise DataError(f"each line of '{path}' must be a JSON object, but none is{first}.")
    return _table(objects, issues, closed)


def whole(text: str, closed: Collection[str] | None = ()) -> Lines | None:
    """The table that a JSON file is (`jsonforms`).
    None where it is none of these, such as JSON Lines. Rows are counted from 1."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    from autoft.data import jsonforms  # commands that read nothing start without it

    objects = jsonforms.objects(found)
    if objects and all(map(lstasks.is_task, objects)):
        said = lstasks.several(objects)
        form = "Label Studio's JSON" + (f", {said}" if said else "")
        return _table(list(enumerate(lstasks.rows(objects), 1)), [], closed)._replace(form=form)
    return _table(list(enumerate(objects, 1)), [], closed)._replace(form="JSON") if objects else None


def _table(objects: list[tuple[int, dict[str, Any]]], issues: list[Issue], closed: Collection[str] | None) -> Lines:
    flat = nested.flat([row for _, row in objects], closed)
    columns = tuple(dict.fromkeys(key for row in flat.rows for key in row))
    rows = tuple(tuple(word(row.get(key)) for key in columns) for row in flat.rows)
    return Lines(columns, rows, tuple(number for number, _ in objects), tuple(issues), objects=flat.objects)


def _object(line: str) -> dict[str, Any] | str:
    """What stands in a line, or why it is no object."""
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        return str(error)
    return found if isinstance(found, dict) else f"it holds a {type(found).__name__}"


def word(value: Any) -> str:
    """A cell: text as it is, lists and objects as JSON, nothing for null and NaN."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return msgspec.json.encode(value).decode()
    return str(value).strip()
