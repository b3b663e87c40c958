"""One data set of class folders as training, validation and test part: the same files for every arm of a benchmark.

A folder whose subfolders are parts (`train` and one of `test`, `val`, `valid`) gives its own test part, which is never
drawn anew; else a fifth of each class becomes the test part. A fifth of each class of the rest validates. The seed
draws.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".jpg", ".jpeg", ".png")
SHARE = 5
"""One in so many becomes validation, and test."""
TESTS = ("test", "val", "valid")


class Parts(NamedTuple):
    """Folders of class folders."""

    root: Path
    """Holds the parts; without `val` where the command under test draws validation itself."""
    counts: dict[str, int]
    """Files in each part."""

    def of(self, name: str) -> Path:
        return self.root / name


def divide(folder: Path, seed: int, out: Path, *, val: bool = True) -> Parts:
    """Lay out the parts of `folder` below `out`. Without `val`, its files stay in the training part."""
    rng = random.Random(seed)
    given = next((name for name in TESTS if (folder / name).is_dir()), None) if (folder / "train").is_dir() else None
    rows: list[tuple[str, str, Path]] = []
    for label, files in _classes(folder / "train" if given else folder):
        rng.shuffle(files)
        share = len(files) // SHARE
        test = [] if given else [files.pop() for _ in range(share)]
        chosen = [files.pop() for _ in range(len(files) // SHARE)]
        rows += [("test", label, path) for path in test]
        rows += [("val" if val else "train", label, path) for path in chosen]
        rows += [("train", label, path) for path in files]
    if given:
        rows += [("test", label, path) for label, files in _classes(folder / given) for path in files]
    for part, label, path in rows:
        target = out / part / label / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        _place(path, target)
    return Parts(out, {part: sum(row[0] == part for row in rows) for part in ("train", "val", "test")})


def files_of(folder: Path) -> list[tuple[Path, str]]:
    """Files and their classes, sorted."""
    return [(path, label) for label, files in _classes(folder) for path in files]


def _classes(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    found = 0
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
        found += len(files)
        yield place.name, files
    if not found:
        raise SystemExit(f"there must be folders of images, named by class, but '{folder}' has none.")


def _place(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
