"""KITTI's text file for each image: a class, then 14 numbers of which four are corners (Geiger et al., 2012)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from autoft.api import Dataset, ReadOptions, split_word, walk
from autoft_detection import _beside
from autoft_detection._beside import Line
from autoft_detection._reading import dataset, learning, refuse, wanted

LINE = re.compile(r"[A-Za-z][\w-]*( -?\d+(\.\d+)?(e-?\d+)?){14,15}")
"""Type, truncation, occlusion, angle, left, top, right, bottom, then sizes and places in space."""
CROWD = "DontCare"
"""Regions that are neither learned nor scored."""


class KittiReader:
    """`training/label_2/000001.txt` of `training/image_2/000001.png`."""

    name = "kitti-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is KITTI's, or an empty string. Looks at the first lines of the first text that has any."""
        if not learning(source, options) or not Path(source).is_dir():
            return ""
        found = _beside.first_filled(_texts(source))
        return f"KITTI's text files ({Path(found).name})" if found and _beside.begins(found, LINE) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each text file that has an image.

        Raises:
            DataError: there are no such files.
        """
        if not wanted(source, options) or not Path(source).is_dir() or not self.sniff(source, options):
            raise refuse(source, "text files of KITTI, a class and 14 numbers in each line")
        root = Path(source).absolute()
        drafts, issues = _beside.read(root, _texts(str(root)), _part, LINE, _line)
        if {draft.split for draft in drafts} == {"train"}:
            for draft in drafts:  # the only part that is annotated is all of the data
                draft.split = ""
        words = f"KITTI ({len(drafts)} text files; {CROWD} is neither learned nor scored)"
        return dataset(self.name, root, words, drafts, issues, options)


def _texts(source: str) -> Iterator[str]:
    return (
        path for path in walk(source) if path.lower().endswith(".txt") and "label" in Path(path).parent.name.lower()
    )


def _line(written: str) -> Line:
    name, *cells = written.split()
    left, top, right, bottom = map(float, cells[3:7])
    return Line((left, top, right, bottom), name, crowd=name == CROWD)


def _part(names: Sequence[str]) -> str:
    return next((part for name in reversed(names) if (part := split_word(name))), "")
