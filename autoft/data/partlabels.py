"""A list of a part without class folders, in it or beside it, a class for each file: `val/val_annotations.txt` of Tiny
ImageNet, `Test.csv` beside `Test/`."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import Final, NamedTuple

from autoft.data import classnames, columns
from autoft.data.media import entries, part_of
from autoft.data.named import Files
from autoft.data.tablefiles import is_table
from autoft.data.tabular import read_table
from autoft.errors import AutoftError

SUFFIXES: Final = (".txt", ".csv", ".tsv")
FEW: Final = 20
"""Text files beyond which they are no lists: they are about an image each."""
MOST: Final = 0.9
"""Share of the lines that must name a file and one of the classes."""


class Labelled(NamedTuple):
    """Files of one part."""

    list: str
    """What the list is, for the user."""
    classes: dict[str, str]
    """Path -> class."""
    path: str = ""
    """That of the list."""


def find(root: str, name: str, classes: Collection[str], field: str) -> Labelled | None:
    """The files below the folder `name` of a part with the classes that the only list in it says, or the only table for
    that part beside it; None where there is no such thing.

    Args:
        root: where the folder lies.
        classes: those of the folders for training: a list of other words is none.
    """
    folder = os.path.join(root, name)
    texts = [entry for entry in entries(folder) if entry.is_file() and entry.name.lower().endswith(SUFFIXES)]
    inside = [_listed(entry.path, folder, classes, field) for entry in texts if len(texts) <= FEW]
    found = [one for one in inside if one] or _beside(root, name, classes, field)
    return found[0] if len(found) == 1 else None


def _listed(path: str, folder: str, classes: Collection[str], field: str) -> Labelled | None:
    lines = [line for line in classnames.lines(path) if line]
    files = Files(path, folder, field)
    told: dict[str, str] = {}
    for line in lines:
        name, label = (*re.split(r"[\t,]|\s+", line, maxsplit=2), "", "")[:2]
        found = files.find(name).path if label in classes else ""
        told |= {found: label} if found else {}
    enough = told and len(told) >= MOST * len(lines) - 1  # one may be a line of names
    return Labelled(f"its {os.path.basename(path)}", told, path) if enough else None


def _beside(root: str, name: str, classes: Collection[str], field: str) -> list[Labelled]:
    """What the tables beside a folder say that are called like its part."""
    files = Files(os.path.join(root, "list"), os.path.join(root, name), field)
    found = []
    for entry in entries(root):
        if not entry.is_file() or not is_table(entry.name) or part_of(os.path.splitext(entry.name)[0]) != part_of(name):
            continue
        try:
            table = read_table(entry.path)
        except AutoftError:  # a table of something else
            continue
        cells = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))
        fits = [column for column, values in cells.items() if set(values) <= {*classes}]
        chosen = columns.by_name(fits, "label") or _called_class(fits) or fits
        paths = [column for column, values in cells.items() if len({*values}) > len({*classes}) and files.share(values)]
        if len(chosen) != 1 or not paths:
            continue
        named = max(paths, key=lambda column: files.share(cells[column]))
        told = {files.find(cell).path: label for cell, label in zip(cells[named], cells[chosen[0]], strict=True)}
        told.pop("", None)
        if len(told) >= MOST * len(table.rows):
            found.append(Labelled(entry.name, told, entry.path))
    return found


def _called_class(names: Collection[str]) -> list[str]:
    """Columns such as `ClassId`."""
    return [
        name for name in names if re.fullmatch(r"(class|label|category)[\W_]*(id|no|nr|number)?", name, re.IGNORECASE)
    ]
