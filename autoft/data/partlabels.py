"""A list in a part without class folders: `val/val_annotations.txt` of Tiny ImageNet, a class for each file."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from autoft.data import classnames
from autoft.data.media import entries
from autoft.data.named import Files

SUFFIXES: Final = (".txt", ".csv", ".tsv")
FEW: Final = 20
"""Text files beyond which they are no lists: they are about an image each."""
MOST: Final = 0.9
"""Share of the lines that must name a file and one of the classes."""


class Labelled(NamedTuple):
    """Files of one part."""

    list: str
    """The name of the list."""
    classes: dict[str, str]
    """Path -> class."""


def find(folder: str, classes: Collection[str], field: str) -> Labelled | None:
    """The files below `folder` with the classes that the only list in it says, or None.

    Args:
        classes: those of the folders for training: a list of other words is none.
    """
    found = []
    texts = [entry for entry in entries(folder) if entry.is_file() and entry.name.lower().endswith(SUFFIXES)]
    for entry in texts if len(texts) <= FEW else ():
        lines = [line for line in classnames.lines(entry.path) if line]
        files = Files(entry.path, folder, field)
        told: dict[str, str] = {}
        for line in lines:
            name, label = (*re.split(r"[\t,]|\s+", line, maxsplit=2), "", "")[:2]
            path = files.find(name).path if label in classes else ""
            told |= {path: label} if path else {}
        if told and len(told) >= MOST * len(lines) - 1:  # one may be a line of names
            found.append(Labelled(entry.name, told))
    return found[0] if len(found) == 1 else None
