"""Files that a table names and that lie elsewhere: paths of another machine, bare names, names without a suffix."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from autoft.data.media import SUFFIXES, is_text
from autoft.data.pictures import Pictures

ASIDE: Final = frozenset("annotation annotations label labels csv csvs table tables meta metadata".split())
"""Folders of tables beside those of the files."""
DISTINCT: Final = 0.9
"""Share of the values of a column that must differ for it to name files: classes repeat."""


class Place(NamedTuple):
    """Where a cell leads."""

    path: str = ""
    """Absolute; empty where no file, or more than one, can be meant."""
    moved: bool = False
    """It is not where the cell says."""
    reason: str = ""
    """Why there is none."""


class Elsewhere:
    """The files around a table. They are walked through when a cell leads nowhere, not before."""

    def __init__(self, table: str) -> None:
        self.folder = os.path.dirname(os.path.abspath(table))
        aside = os.path.basename(self.folder).lower() in ASIDE
        self.root = os.path.dirname(self.folder) if aside else self.folder
        self._known: dict[str, Pictures] = {}

    def find(self, text: str, field: str, split: str = "") -> Place:
        """The file that a cell names: relative to the table's folder or to the one above a folder of tables, else the
        one below them that is called so. A file that is missing from a folder that is there is not looked for."""
        if not text or "\0" in text or not is_text(text):
            return Place(reason="no name of a file" if text else "empty cell")
        plain = text.replace("\\", "/")
        above, suffix = os.path.dirname(plain), os.path.splitext(plain)[1].lower()
        suffixed = suffix in SUFFIXES[field]
        for base in dict.fromkeys((self.folder, self.root)):
            for candidate in dict.fromkeys((text, plain)):
                path = os.path.normpath(os.path.join(base, candidate))
                if os.path.exists(path) and is_text(path) and (suffixed or not os.path.isdir(path)):
                    return Place(path)
        if above and suffixed and os.path.isdir(os.path.join(self.folder, above)):
            return Place(reason="there is no such file beside the table")
        found = self._files(field).meant(text, split)
        if len(found) == 1:
            return Place(found[0], moved=True)
        if found:
            return Place(reason=f"{len(found)} files are called so, and no folder in it tells which one is meant")
        web = "://" in text
        return Place(reason="addresses are not downloaded" if web else "there is no such file beside the table")

    def names(self, values: Sequence[str], field: str) -> bool:
        """Whether a column without suffixes names files all the same, such as `0f3a` for `train/0f3a.jpg`."""
        filled = [value for value in values if value]
        if len(set(filled)) < max(2, DISTINCT * len(filled)):
            return False
        return 2 * sum(bool(self._files(field).meant(value)) for value in filled) >= len(filled)

    def _files(self, field: str) -> Pictures:
        if field not in self._known:
            self._known[field] = Pictures(self.root, field)
        return self._known[field]
