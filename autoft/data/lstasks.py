"""Label Studio's JSON export: tasks, each with its data and the annotations that people made, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

ANNOTATIONS: Final = ("annotations", "completions")
"""Keys of the list of annotations, of the newer and the older versions."""
SINGLE: Final = {"rating": "rating", "number": "number", "textarea": "text", "choices": "choices"}
"""Type of a result that says something of a whole task -> key of what it says."""
NOTES: Final = ("annotation_id", "annotator", "created_at", "updated_at", "lead_time")
"""Columns of its CSV and its short JSON that say how an annotation was made. A table with all of them is such."""


def is_task(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("data"), dict) and any(isinstance(row.get(key), list) for key in ANNOTATIONS)


def annotation(task: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What counts of several annotations: the one marked as ground truth, else the first. None where nobody made one,
    or the task was skipped."""
    kept = _made(task)
    kept = [one for one in kept if one.get("ground_truth")] or kept
    found = kept[0].get("result") if kept else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def several(tasks: Sequence[Mapping[str, Any]]) -> str:
    """How many tasks have several annotations, and which counts, in words; empty where none has."""
    number = sum(len(_made(task)) > 1 for task in tasks if is_task(task))
    words = "task has" if number == 1 else "tasks have"
    return f"{number} {words} several annotations: the ground truth counts, else the first" if number else ""


def rows(tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The data of each task with a key for each control that says something of it as a whole. Tasks that nobody
    annotated have none of these. Where one task has several choices, all have lists."""
    found = [(task, dict(_said(annotation(task) or ()))) for task in tasks]
    lists = {name for _, said in found for name, value in said.items() if isinstance(value, list) and len(value) > 1}
    return [{**task["data"], **_cells(task["data"], said, lists)} for task, said in found]


def _made(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The annotations of a task, without those that were skipped."""
    made: list[Any] = next((task[key] for key in ANNOTATIONS if isinstance(task.get(key), list)), [])
    return [one for one in made if isinstance(one, dict) and not one.get("was_cancelled")]


def _said(results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for result in results:
        key, value = SINGLE.get(str(result.get("type"))), result.get("value")
        if key and isinstance(value, dict) and key in value:
            yield str(result.get("from_name") or key), value[key]


def _cells(data: Mapping[str, Any], said: Mapping[str, Any], lists: set[str]) -> dict[str, Any]:
    """By name; a control called like something of the data says so behind its name."""
    found = {}
    for name, value in said.items():
        alone = isinstance(value, list) and name not in lists
        found[f"{name} (annotation)" if name in data else name] = next(iter(value), "") if alone else value
    return found


def is_short(columns: Sequence[str]) -> bool:
    """Whether a table is the short JSON or the CSV, by the columns that say how annotations were made."""
    return set(NOTES) <= set(columns)


def listed(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """The cells of a short export with several choices as lists: there one choice is a word, and several are an object.
    Columns without such objects stay as they are."""
    several = {place for cells in rows for place, cell in enumerate(cells) if _choices(cell) is not None}
    return tuple(tuple(_list(cell) if place in several else cell for place, cell in enumerate(cells)) for cells in rows)


def _list(cell: str) -> str:
    found = _choices(cell)
    return msgspec.json.encode([cell] if found is None else found).decode() if cell else ""


def _choices(cell: str) -> list[Any] | None:
    if not cell.startswith('{"choices"'):
        return None
    try:
        found = msgspec.json.decode(cell)["choices"]
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, list) else None
