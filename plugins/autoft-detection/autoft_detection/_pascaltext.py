"""PASCAL's annotations of before its XML, version 1.00, as Penn-Fudan has them (Wang et al., 2007): a text file for
each image that says in sentences where its things are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, walk
from autoft_detection._drafts import Draft
from autoft_detection._drawn import BEFORE
from autoft_detection._reading import dataset, learning, refuse, wanted

SIGN = "PASCAL Annotation Version 1.00"
HEAD = 512
NAME = re.compile(r'Image filename : "([^"]+)"')
SIZE = re.compile(r"Image size \(X x Y x C\) : (\d+) x (\d+)")
BOX = re.compile(
    r'Bounding box for object \d+ "([^"]*)" \(Xmin, Ymin\) - \(Xmax, Ymax\) : '
    r"\((-?\d+), (-?\d+)\) - \((-?\d+), (-?\d+)\)"
)
PREFIX = "PAS"
"""Before the names of PASCAL's classes: PASpersonWalking."""


class PascalTextReader:
    """`Annotation/FudanPed00001.txt` of `PNGImages/FudanPed00001.png`."""

    name = "pascal-text-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at the first lines of text files."""
        found = next(_files(source), None) if learning(source, options) and Path(source).is_dir() else None
        if not found or any(reader().sniff(source, options) for reader in BEFORE):
            return ""
        return f"PASCAL's text files ({found.name} says {SIGN})"

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each text file whose image is there: that called like it, else the one that it names. Corners
        count from 1.

        Raises:
            DataError: there are no such files.
        """
        files = list(_files(source)) if wanted(source, options) and Path(source).is_dir() else []
        if not files:
            raise refuse(source, f"text files that say {SIGN}")
        pictures, issues, drafts = Pictures(source), list[Issue](), list[Draft]()
        for file in files:
            text = file.read_text(encoding="latin-1")
            called = NAME.search(text)
            path = pictures.stemmed(file.stem, file.parent) or (
                pictures.named(called[1], file.parent) if called else ""
            )
            if not path:
                issues.append(missing_picture(file.name, f"no image called {file.stem}"))
                continue
            size = SIZE.search(text)
            sides = (int(size[1]), int(size[2])) if size else (0, 0)
            draft = Draft(pictures.id(path), path, pictures.split(path), sides)
            for name, x1, y1, x2, y2 in BOX.findall(text):
                plain = name.removeprefix(PREFIX)
                draft.add((int(x1) - 1, int(y1) - 1, int(x2), int(y2)), plain, called=name)
            drafts.append(draft)
        words = f"PASCAL's annotations in text ({len(files)} files)"
        return dataset(self.name, pictures.root, words, drafts, issues, options)


def _files(source: str) -> Iterator[Path]:
    for path in map(Path, walk(source)):
        if path.suffix.lower() == ".txt" and SIGN in _head(path):
            yield path


def _head(file: Path) -> str:
    try:
        with file.open(encoding="latin-1") as opened:
            return opened.read(HEAD)
    except OSError:  # it cannot be read, so it cannot be recognised
        return ""
