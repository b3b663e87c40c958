"""Lists of images beside masks, of Pascal VOC (ImageSets/Segmentation) and of the Oxford pets (annotations): which
images have masks, and which part they are of."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

LISTS = {"train": "train", "val": "val", "test": "test", "trainval": "train"}
"""Name of a list -> part. The first that names an image counts."""
TRIMAPS = "annotations/trimaps"
"""Beside these lie the lists of the Oxford pets: `beagle_12 5 2 1`."""
NUMBERS = re.compile(r"( \d+){3}$")
DEPTH = 3
"""Folders below the data in which the lists are looked for."""


class Lists(NamedTuple):
    """Those of all sets, such as VOC2007 and VOC2012 side by side. False where there are none."""

    sets: tuple[tuple[Path, dict[str, str]], ...]
    """Folder around the lists', the deepest first, and stem of an image, in lower case -> its part."""

    def __bool__(self) -> bool:
        return bool(self.sets)

    def part(self, path: str, stem: str) -> str:
        """Of an image; empty where its own set does not name it. One that lies in no set may be named by any."""
        own = next((known for folder, known in self.sets if Path(path).is_relative_to(folder)), None)
        if own is not None:
            return own.get(stem, "")
        return next((known[stem] for _, known in self.sets if stem in known), "")


def find(root: Path) -> Lists:
    """The lists below a folder."""
    sets = []
    for depth in range(DEPTH):
        for folder in sorted(root.glob("*/" * depth + "ImageSets/Segmentation")):
            if found := _named(folder):
                sets.append((folder.parent.parent, found))
        for folder in sorted(root.glob("*/" * depth + TRIMAPS)):
            if found := _named(folder.parent):
                sets.append((folder.parent.parent, found))
    return Lists(tuple(reversed(sets)))


def _named(folder: Path) -> dict[str, str]:
    """Stem of an image, in lower case -> its part, by the lists of a folder; numbers behind names are left out."""
    found: dict[str, str] = {}
    for name, part in LISTS.items():
        file = folder / f"{name}.txt"
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
        for line in filter(None, map(str.strip, lines)):
            line = NUMBERS.sub("", line)
            found.setdefault(PurePosixPath(line).stem.lower() if "/" in line else line.lower(), part)
    return found
