"""Where the files are that a table names: beside it, or anywhere below the data under a name that only one file has."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Final, NamedTuple

from autoft.data.media import SUFFIXES, is_text, split_word, walk

ASIDE: Final = frozenset("meta metadata annotation annotations label labels csv lists list splits tables".split())
"""Folders with these names hold tables about files that lie beside the folder."""


class Named(NamedTuple):
    """What a cell names."""

    path: str
    reason: str = ""
    """Why there is no such file."""


class Files:
    """Finds files of a medium for the cells of one table."""

    def __init__(self, table: str, root: str, medium: str) -> None:
        self.folder, self.medium = os.path.dirname(os.path.abspath(table)), medium
        self.root = os.path.abspath(root) if os.path.isdir(root) else self.folder
        if self.root == self.folder and os.path.basename(self.folder).lower() in ASIDE:
            self.root = os.path.dirname(self.folder)
        self.below: Counter[str] = Counter()
        """Folders below the root in which files were found by their names alone, and how many."""

    def find(self, text: str, split: str = "") -> Named:
        """The file that a cell names, relative to the table's folder; backslashes of Windows are understood.

        Else the only file below the root that has this name, or this name and a suffix; among several the one whose
        folders agree with the cell's, then the one in a folder named like `split`.
        """
        if not text:
            return Named("", "empty cell")
        for candidate in dict.fromkeys((text, text.replace("\\", "/"))):
            path = os.path.normpath(os.path.join(self.folder, candidate))
            # Beside a folder called `a` may lie `a.wav`; a folder called `a.wav` is told by whoever reads it.
            whole = os.path.splitext(path)[1].lower() in SUFFIXES[self.medium]
            if is_text(path) and "\0" not in path and (os.path.exists(path) if whole else os.path.isfile(path)):
                return Named(path)
        if "://" in text:
            return Named("", "addresses are not downloaded")
        parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        found = self._alike(parts, split) if parts else []
        if len(found) > 1:
            return Named("", f"{len(found)} files have this name, such as {' and '.join(found[:2])}")
        if not found:
            return Named("", "there is no such file beside the table or below it")
        self.below[os.path.dirname(found[0])] += 1
        return Named(os.path.join(self.root, found[0]))

    def share_of_stems(self, cells: Iterable[str]) -> float:
        """Share of the cells that are the names of files without their suffixes."""
        filled = [cell for cell in cells if cell]
        return sum(cell in self._stems for cell in filled) / len(filled) if filled else 0.0

    def sentence(self) -> str:
        """Where files were found that are not where the table says; empty if all of them are."""
        if not self.below:
            return ""
        folders = sorted(folder or "." for folder in self.below)
        shown = ", ".join(f"{folder}/" for folder in folders[:3]) + (" and more" if len(folders) > 3 else "")
        return f" ({sum(self.below.values())} files found by their names in {shown})"

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """File name -> paths below the root, with / between folders."""
        found: dict[str, list[str]] = defaultdict(list)
        for path in walk(self.root):
            if os.path.splitext(path)[1].lower() in SUFFIXES[self.medium] and is_text(path):
                found[os.path.basename(path)].append(os.path.relpath(path, self.root).replace(os.sep, "/"))
        return dict(found)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name, paths in self._names.items():
            found[os.path.splitext(name)[0]] += paths
        return dict(found)

    def _alike(self, parts: list[str], split: str) -> list[str]:
        found = self._names.get(parts[-1]) or self._stems.get(parts[-1], [])
        if len(found) > 1:
            agreeing = [_agreement(path, parts) for path in found]
            found = [path for path, folders in zip(found, agreeing, strict=True) if folders == max(agreeing)]
        if len(found) > 1 and split:
            found = [path for path in found if split in map(split_word, path.split("/")[:-1])] or found
        return found


def _agreement(path: str, parts: list[str]) -> int:
    """Folders that a path shares with the cell, counted from the file upwards."""
    shared = 0
    for one, other in zip(reversed(path.split("/")[:-1]), reversed(parts[:-1]), strict=False):
        if one != other:
            break
        shared += 1
    return shared
