"""Tables with a row for each box, as TensorFlow's tutorials, Roboflow and contests give them."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from autoft.api import (
    AutoftError,
    Dataset,
    Issue,
    Pictures,
    ReadOptions,
    Table,
    flagged,
    is_table,
    missing_picture,
    part_word,
    read_table,
    split_word,
    walk,
)
from autoft_detection import _columns
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, learning, refuse, wanted
from autoft_detection._voc import VocReader
from autoft_detection._yolo import YoloReader

ONLY = "object"
"""The class of all boxes where no column names one."""
DESCRIBED = re.compile(r"(?:\w+-)*class-descriptions.*\.csv", re.IGNORECASE)
"""Open Images' list of the names of its classes."""
ASIDE = ("annotations", "annotation", "labels", "csv", "data")
"""Folders of tables beside those of the images."""
FRACTION = 1.001


class BoxTableReader:
    """CSV with a column of images and four of sides, or one with lists; XML and YOLO files beside it go before it."""

    name = "table-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is a table of boxes, or a folder with one or several at any depth; else an empty string."""
        if not learning(source, options):
            return ""
        found = next(_tables(source), None)
        if not found or any(reader.sniff(source, options) for reader in (VocReader(), YoloReader())):
            return ""
        return f"a table of boxes ({Path(found[0].path).name})"

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image that a row names. A row without sides names an image without boxes.

        The part is the word in a column `split`, in the table's name, or in that of a folder. Sides are pixels from 0,
        or fractions where none is above 1.

        Raises:
            DataError: there is no such table.
        """
        tables = list(_tables(source)) if wanted(source, options) else []
        if not tables:
            raise refuse(source, "a table with columns such as filename, class, xmin, ymin, xmax, ymax")
        root = _root(source)
        pictures, issues = Pictures(root), list[Issue]()
        names, named = _described(root)
        flags = _columns.flags(tables)
        read = [_drafts(table, boxes, pictures, names, flags, issues) for table, boxes in tables]
        placed = {draft.path for drafts in read for draft in drafts if draft.split}
        drafts = [draft for drafts in read for draft in drafts if draft.split or draft.path not in placed]
        used = {draft.path for draft in drafts}
        issues += [
            Issue(kind="no_annotation", subject=pictures.id(path), detail="no row; not used", drops=False)
            for path in pictures.paths
            if path not in used
        ]
        words = f"tables of boxes ({', '.join(Path(table.path).name for table, _ in tables)}"
        words += (
            f"{named})"
            if any(boxes.label is not None for _, boxes in tables)
            else f"; none names classes, all are '{ONLY}')"
        )
        return dataset(self.name, root, words, drafts, issues, options)


def _root(source: str) -> Path:
    path = Path(source).absolute()
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name.lower() in ASIDE else path.parent


def _tables(source: str) -> Iterator[tuple[Table, _columns.Boxes]]:
    for file in [source] if Path(source).is_file() else walk(source):
        if not is_table(file) or "submission" in Path(file).name.lower():
            continue
        try:
            table = read_table(file)
        except AutoftError:  # whatever it is, it is no table of boxes
            continue
        bare = table.columns[0] == "column 1"  # its first line names a file
        boxes = _columns.unnamed(table.rows) if bare else _columns.find(table.columns)
        if boxes:
            yield table, boxes


def _described(root: Path) -> tuple[dict[str, str], str]:
    """Names of classes by their codes, as Open Images has them beside its tables (`/m/0k4j,Car`), and words for it."""
    file = next((Path(path) for path in walk(str(root)) if DESCRIBED.match(Path(path).name)), None)
    if file is None:
        return {}, ""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        rows = [row for row in csv.reader(opened) if len(row) == 2]
    return {code: name for code, name in rows if code.startswith("/")}, f"; {file.name} names the classes"


def _drafts(
    table: Table,
    boxes: _columns.Boxes,
    pictures: Pictures,
    names: Mapping[str, str],
    flags: Collection[str],
    issues: list[Issue],
) -> list[Draft]:
    file = Path(table.path)
    crowds = [place for place in boxes.crowds if table.columns[place] in flags]
    part = part_word(file.stem) or pictures.split(table.path)
    found: dict[str, Draft] = {}
    issues += table.issues
    for cells in table.rows:
        split = split_word(cells[boxes.split]) if boxes.split is not None else part
        path = pictures.named(cells[boxes.image], file.parent, split)
        if not path:
            issues.append(missing_picture(cells[boxes.image] or f"an empty cell of {file.name}"))
            continue
        draft = found.get(path)
        if draft is None:
            size = _size(cells, boxes)
            draft = found[path] = Draft(pictures.id(path), path, split or pictures.split(path), size)
        sides = _columns.four(cells, boxes)
        if sides is not None:
            label = cells[boxes.label] if boxes.label is not None else ONLY
            crowd = any(flagged(cells[place]) for place in crowds)
            draft.add(sides, names.get(label, label), "crowd" * crowd, called=label)
    every = [side for draft in found.values() for box in draft.boxes for side in box if side == side]
    fractions = bool(every) and max(every) <= FRACTION
    for draft in found.values():
        draft.fractions = fractions
    return list(found.values())


def _size(cells: tuple[str, ...], boxes: _columns.Boxes) -> tuple[int, int]:
    try:
        return (int(float(cells[boxes.size[0]])), int(float(cells[boxes.size[1]]))) if boxes.size else (0, 0)
    except ValueError:
        return (0, 0)
