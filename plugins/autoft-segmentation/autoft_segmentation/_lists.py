"""ImageSets/Segmentation of Pascal VOC: which images have masks, and which part they are of."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

LISTS = {"train": "train", "val": "val", "test": "test", "trainval": "train"}
"""Name of a list -> part. The first that names an image counts."""
DEPTH = 3
"""Folders below the data in which the lists are looked for."""


def find(root: Path) -> dict[str, str]:
    """Stem of an image, in lower case -> its part; empty without lists."""
    for depth in range(DEPTH):
        for folder in sorted(root.glob("*/" * depth + "ImageSets/Segmentation")):
            found: dict[str, str] = {}
            for name, part in LISTS.items():
                file = folder / f"{name}.txt"
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
                for line in filter(None, map(str.strip, lines)):
                    found.setdefault(PurePosixPath(line).stem.lower() if "/" in line else line.lower(), part)
            if found:
                return found
    return {}
