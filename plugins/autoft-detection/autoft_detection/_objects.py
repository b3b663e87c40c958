"""Boxes in cells of tables, as data sets of the Hugging Face hub have them: an object of lists or a list of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from autoft.api import DataError, Table, flagged, image_header
from autoft_detection._drafts import Draft

OBJECTS = ("objects", "annotations", "annotation", "labels", "label", "target", "faces", "litter")
BOXES = ("bbox", "bboxes", "boxes", "box")
CLASSES = ("category", "categories", "class", "classes", "label", "labels", "name", "names", "category_id", "class_id",
           "class_label", "type")  # fmt: skip
CROWDS = ("iscrowd", "is_crowd", "crowd")
"""Names of columns, and of what lies in them, in small letters."""
ONLY = "object"
"""The class of all boxes where nothing names classes."""
FRACTION = 1.001
SURE = 0.99
"""Share of the boxes that must fit into their images, and fit better as corners, before they are taken for corners."""


class Thing(NamedTuple):
    sides: tuple[float, float, float, float]
    name: str
    crowd: bool


def filled(drafts: Sequence[Draft], found: Sequence[Sequence[Thing]], source: str) -> str:
    """Put these things into their drafts; how their sides are written, in words.

    They are x, y, width, height, as on the hub, unless they fit into their images as two corners alone.

    Raises:
        DataError: they are fractions of their images: of which corner is not told.
    """
    corners = _are_corners(drafts, found, source)
    for draft, things in zip(drafts, found, strict=True):
        for (a, b, c, d), name, crowd in things:
            draft.add((a, b, c, d) if corners else (a, b, a + c, b + d), name, "crowd" * crowd, called=name)
    return "two corners" if corners else "x, y, width, height"


def hold_boxes(table: Table, place: int) -> bool:
    """Whether the cells of this column are such objects."""
    first = next((row[place] for row in table.rows if row[place] not in ("", "[]", "{}")), "")
    value = value_of(first)
    found = value[0] if isinstance(value, list) and value else value
    return isinstance(found, dict) and any(key.lower() in BOXES for key in found)


def listed(value: Any) -> Iterator[Thing]:
    """The things of an image: a list of objects, or an object of lists."""
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                yield _thing(_of(one, BOXES), _of(one, CLASSES), _of(one, CROWDS))
        return
    known: Mapping[str, Any] = value if isinstance(value, dict) else {}
    boxes = _of(known, BOXES)
    boxes = boxes if isinstance(boxes, list) else []
    names, crowds = (_lengthened(_of(known, keys), len(boxes)) for keys in (CLASSES, CROWDS))
    for box, name, crowd in zip(boxes, names, crowds, strict=True):
        yield _thing(box, name, crowd)


def _of(value: Mapping[str, Any], keys: Sequence[str]) -> Any:
    lower = {key.lower(): each for key, each in value.items()}
    return next((lower[key] for key in keys if key in lower), None)


def _lengthened(values: Any, count: int) -> list[Any]:
    return values if isinstance(values, list) and len(values) == count else [None] * count


def _thing(box: Any, name: Any, crowd: Any) -> Thing:
    called = ONLY if name is None else str(name)
    try:
        a, b, c, d = (float(side) for side in box)
    except (TypeError, ValueError, OverflowError):  # counted as a box whose corners are no numbers
        a = b = c = d = float("nan")
    return Thing((a, b, c, d), called, flagged(crowd))


def value_of(cell: str) -> Any:
    """What stands in a cell as JSON; a word as it is."""
    try:
        return msgspec.json.decode(cell)
    except msgspec.DecodeError:
        return cell


def _are_corners(drafts: Sequence[Draft], found: Sequence[Sequence[Thing]], source: str) -> bool:
    """Whether boxes fit into their images as two corners alone.

    Raises:
        DataError: they are fractions.
    """
    every = [side for things in found for thing in things for side in thing.sides if side == side]
    if every and max(every) <= FRACTION:
        raise DataError(
            f"boxes must be in pixels, but those in '{source}' are fractions of their images, and nothing tells "
            "whether they begin with a corner or with their middle.",
            "Multiply them by the width and height, as x, y, width, height.",
        )
    sized = plain = total = 0
    for draft, things in zip(drafts, found, strict=True):
        header = image_header(draft.path) if things else None
        width, height = header.upright if header else (0, 0)
        for a, b, c, d in (thing.sides for thing in things) if header else ():
            total += 1
            sized += a + c <= width + 1 and b + d <= height + 1
            plain += a < c <= width + 1 and b < d <= height + 1
    return total > 0 and sized < SURE * total <= plain
