"""Images and boxes that lie in Parquet files themselves, as data sets of the Hugging Face hub have them: a column of
images, and one of `objects` with a list of boxes and one of classes, or these two lists as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from autoft.api import (
    IMAGE_COLUMNS,
    DataError,
    Dataset,
    Issue,
    ReadOptions,
    Table,
    flagged,
    image_header,
    media_tables,
    missing_picture,
    read_table,
    table_part,
)
from autoft_detection._drafts import Draft
from autoft_detection._drawn import BEFORE
from autoft_detection._reading import dataset, learning, refuse, wanted

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


class _Thing(NamedTuple):
    sides: tuple[float, float, float, float]
    name: str
    crowd: bool


class ParquetBoxReader:
    """Tables with a column of images, the files inside, and boxes in lists."""

    name = "parquet-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is such tables, or an empty string. Looks at names alone, and that nothing else is there."""
        files = media_tables(source) if learning(source, options) else []
        if not files or any(reader().sniff(source, options) for reader in BEFORE):
            return ""
        return f"tables that hold images and boxes ({', '.join(file.name for file in files[:3])})"

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each row. Boxes are x, y, width, height, as on the hub, unless they fit as corners alone.

        Raises:
            DataError: there are no such tables, or boxes are fractions of their images: of which corner is not told.
        """
        files = media_tables(source) if wanted(source, options) else []
        if not files:
            raise refuse(source, "tables with images and boxes")
        issues: list[Issue] = []
        drafts: list[Draft] = []
        found: list[list[_Thing]] = []
        for file in files:
            for draft, things in _rows(read_table(str(file), needs=("image", "boxes")), table_part(file), issues):
                drafts.append(draft)
                found.append(things)
        corners = _are_corners(drafts, found, source)
        for draft, things in zip(drafts, found, strict=True):
            for (a, b, c, d), name, crowd in things:
                draft.add((a, b, c, d) if corners else (a, b, a + c, b + d), name, "crowd" * crowd, called=name)
        parts = {draft.split for draft in drafts}
        if "train" not in parts or len(parts) == 1:
            for draft in drafts:
                draft.split = ""
        root = Path(source).absolute()
        words = (
            f"tables of images ({', '.join(file.name for file in files[:3])}{', ...' if files[3:] else ''}; boxes are "
        )
        words += "two corners)" if corners else "x, y, width, height)"
        return dataset(self.name, root if root.is_dir() else root.parent, words, drafts, issues, options)


def _rows(table: Table, split: str, issues: list[Issue]) -> Iterator[tuple[Draft, list[_Thing]]]:
    """
    Raises:
        DataError: the columns cannot be told.
    """
    image = next((table.columns.index(c) for name in IMAGE_COLUMNS for c in table.media if c.lower() == name), None)
    lower = [name.lower() for name in table.columns]
    things = next(
        (lower.index(name) for name in OBJECTS if name in lower and _hold_boxes(table, lower.index(name))), -1
    )
    if image is None or (things < 0 and not any(name in lower for name in BOXES)):
        raise DataError(
            "a table must hold images in one column, and boxes in another, called objects or bbox or the like, but the "
            f"columns of '{table.path}' are: {', '.join(table.columns)}.",
            "Name the columns image and objects, with lists bbox and category in it, or write the files and COCO JSON.",
        )
    for number, row in enumerate(table.rows, 1):
        name = f"{Path(table.path).name}:row {number}"
        if not row[image]:
            issues.append(missing_picture(name, "empty cell"))
            continue
        flat = dict(zip(lower, map(_value, row), strict=True)) if things < 0 else {}
        yield Draft(name, row[image], split), list(_listed(flat if things < 0 else _value(row[things])))


def _hold_boxes(table: Table, place: int) -> bool:
    first = next((row[place] for row in table.rows if row[place] not in ("", "[]", "{}")), "")
    value = _value(first)
    found = value[0] if isinstance(value, list) and value else value
    return isinstance(found, dict) and any(key.lower() in BOXES for key in found)


def _listed(value: Any) -> Iterator[_Thing]:
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


def _thing(box: Any, name: Any, crowd: Any) -> _Thing:
    called = ONLY if name is None else str(name)
    try:
        a, b, c, d = (float(side) for side in box)
    except (TypeError, ValueError, OverflowError):  # counted as a box whose corners are no numbers
        a = b = c = d = float("nan")
    return _Thing((a, b, c, d), called, flagged(crowd))


def _value(cell: str) -> Any:
    """What stands in a cell as JSON; a word as it is."""
    try:
        return msgspec.json.decode(cell)
    except msgspec.DecodeError:
        return cell


def _are_corners(drafts: Sequence[Draft], found: Sequence[Sequence[_Thing]], source: str) -> bool:
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
