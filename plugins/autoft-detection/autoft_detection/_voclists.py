"""The lists of Pascal VOC that name a part's images, `ImageSets/Main/train.txt`: each of several sets has its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from autoft.api import is_media, walk

LISTS = {"train": "train", "val": "val", "test": "test", "trainval": "train"}
"""Files of ImageSets/Main, or ImageSets -> split. The first list that names a picture counts."""


class Lists(NamedTuple):
    """Those of all sets, such as VOC2007 and VOC2012 side by side."""

    sets: dict[Path, dict[str, str]]
    """Folder around `ImageSets` -> stem of a picture -> split."""
    names: tuple[str, ...]
    """Of the lists that say something, each once."""

    def split(self, file: Path) -> str:
        """Of an annotation; empty where its own set does not name it. One that lies in no set may be named by any."""
        own = next((known for parent in file.parents if (known := self.sets.get(parent)) is not None), None)
        if own is not None:
            return own.get(file.stem, "")
        return next((known[file.stem] for known in self.sets.values() if file.stem in known), "")


def find(source: str) -> Lists:
    """The lists below a folder."""
    files: dict[Path, dict[str, Path]] = {}
    for path in map(Path, walk(source)):
        if path.parent.name in ("Main", "ImageSets") and path.suffix == ".txt" and path.stem in LISTS:
            main = path.parent.name == "Main" and path.parent.parent.name == "ImageSets"
            files.setdefault(path.parents[2 if main else 1], {}).setdefault(path.stem, path)
    sets: dict[Path, dict[str, str]] = {}
    used: set[str] = set()
    for folder, lists in files.items():
        splits: dict[str, str] = {}
        for name in (name for name in LISTS if name in lists):
            new = _named(lists[name]) - splits.keys()
            splits |= dict.fromkeys(new, LISTS[name])
            used |= {lists[name].name} if new else set()
        if splits:
            sets[folder] = splits
    return Lists(sets, tuple(f"{name}.txt" for name in LISTS if f"{name}.txt" in used))


def none_names(lists: Lists, files: Iterable[Path]) -> bool:
    """Whether there are lists, but of other pictures."""
    return bool(lists.names) and not any(lists.split(file) for file in files)


def _named(file: Path) -> set[str]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return {stem for line in lines if line.strip() for stem in _stems(line.strip())}


def _stems(line: str) -> set[str]:
    """What a line of a list can mean: a name with spaces in it, or a name and a flag; with folders, suffix or not."""
    names = [PurePosixPath(text.replace("\\", "/")) for text in (line, line.split()[0])]
    return {name.stem if is_media(name.name, "image") else name.name for name in names}
