"""Where the files are that a table names, also by paths of another machine, bare names, names without a suffix."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

from autoft.data.media import SUFFIXES, is_text, part_of
from autoft.data.pictures import Pictures

ASIDE: Final = frozenset(
    "annotation annotations csv csvs label labels list lists meta metadata split splits table tables".split()
)
"""Folders with these names hold tables about files that lie beside the folder."""
DISTINCT: Final = 0.9
"""Share of the values of a column that must differ for it to name files without their suffixes: classes repeat."""
SEVERAL: Final = "several_files"
"""Kind of issue: a name that more than one file has."""


class Named(NamedTuple):
    """What a cell names."""

    path: str
    reason: str = ""
    """Why there is no such file."""
    kind: str = "missing"
    """A word of `Issue.kind`."""


class Files:
    """Finds files of a medium for the cells of one table. The folders are walked through when a cell leads nowhere."""

    def __init__(self, table: str, root: str, medium: str) -> None:
        self.folder, self.medium = os.path.dirname(os.path.abspath(table)), medium
        self.root = os.path.abspath(root) if os.path.isdir(root) else self.folder
        if self.root == self.folder and os.path.basename(self.folder).lower() in ASIDE:
            self.root = os.path.dirname(self.folder)
        self.part = part_of(os.path.splitext(os.path.basename(table))[0])
        """What the table's own name says, for rows whose part is not told: `trainLabels.csv` means `train/1.png`, not
        `test/1.png`."""
        self.below: dict[str, set[str]] = {}
        """Folders below the root in which files were found by their names alone, and which."""

    def find(self, text: str, split: str = "") -> Named:
        """The file that a cell names, relative to the table's folder or to the root; backslashes of Windows are
        understood.

        Else the only file below the root that has this name, or this name and a suffix; among several the one whose
        folders agree with the cell's, then the one in a folder named like `split`, or like the table. A file that is
        missing from a folder that is there is not looked for.
        """
        if not text or "\0" in text or not is_text(text):
            return Named("", "no name of a file" if text else "empty cell")
        plain = text.replace("\\", "/")
        # Beside a folder called `a` may lie `a.wav`; a folder called `a.wav` is told by whoever reads it.
        whole = os.path.splitext(plain)[1].lower() in SUFFIXES[self.medium]
        bases = dict.fromkeys((self.folder, self.root))
        for base in bases:
            for candidate in dict.fromkeys((text, plain)):
                path = os.path.normpath(os.path.join(base, candidate))
                if is_text(path) and (os.path.exists(path) if whole else os.path.isfile(path)):
                    return Named(path)
        above = os.path.dirname(plain)
        known = whole and above and any(os.path.isdir(os.path.join(base, above)) for base in bases)
        found = [] if known else [path for path in self._files.meant(text, split or self.part) if is_text(path)]
        if len(found) == 1:
            self.below.setdefault(os.path.dirname(self._files.id(found[0])), set()).add(found[0])
            return Named(found[0])
        if found:
            shown = " and ".join(map(self._files.id, found[:2]))
            return Named("", f"{len(found)} files have this name, such as {shown}", SEVERAL)
        web = "://" in text
        return Named(
            "", "addresses are not downloaded" if web else "there is no such file beside the table or below it"
        )

    def share(self, cells: Sequence[str]) -> float:
        """Share of the filled cells that name files, with or without their suffixes."""
        filled = [cell for cell in cells if cell]
        return sum(bool(self._files.meant(cell)) for cell in filled) / len(filled) if filled else 0.0

    def covered(self, cells: Sequence[str]) -> set[str]:
        """The files that the cells name."""
        return {path for cell in {*cells} if cell for path in self._files.meant(cell)}

    @property
    def count(self) -> int:
        """How many files of the medium there are."""
        return len(self._files.paths)

    def named_by(self, cells: Sequence[str]) -> bool:
        """Whether a column without suffixes names files all the same, such as `0f3a` for `train/0f3a.jpg`."""
        filled = [cell for cell in cells if cell]
        return len(set(filled)) >= DISTINCT * len(filled) and self.share(filled) >= 0.5

    def sentence(self) -> str:
        """Where files were found that are not where the table says; empty if all of them are."""
        if not self.below:
            return ""
        folders = sorted(folder or "." for folder in self.below)
        shown = ", ".join(f"{folder}/" for folder in folders[:3]) + (" and more" if len(folders) > 3 else "")
        return f" ({sum(map(len, self.below.values()))} files found by their names in {shown})"

    @cached_property
    def _files(self) -> Pictures:
        return Pictures(self.root, self.medium)
