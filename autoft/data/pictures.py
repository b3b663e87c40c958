"""Finds the picture that an annotation means: file names in annotations are often relative to another folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from autoft.data.media import is_media, split_word, walk
from autoft.datarecords import Issue


class Pictures:
    """All image files below a folder."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.others: list[str] = []
        """Files that are no images, in the order of their paths."""
        self.paths: list[str] = []
        self._named: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        for path in walk(str(self.root)):
            if not is_media(path, "image"):
                self.others.append(path)
                continue
            self.paths.append(path)
            self._named[Path(path).name.lower()].append(path)
            self._stems[Path(path).stem.lower()].append(path)

    def id(self, path: str) -> str:
        """The path below the root."""
        return Path(path).relative_to(self.root).as_posix()

    def split(self, path: str) -> str:
        """train, val or test if a folder between the root and the file is called so, else an empty string."""
        below = Path(path).absolute()
        parts = below.relative_to(self.root).parts[:-1] if below.is_relative_to(self.root) else ()
        return next((split_word(part) for part in reversed(parts) if split_word(part)), "")

    def named(self, name: str, near: Path, split: str = "") -> str:
        """The picture that a file in the folder `near` calls `name`, or an empty string.

        Of several files of that name it is the one whose folders fit best: those that `name` tells, then the split's,
        then those nearest to `near`. Nothing outside the root is looked at.
        """
        plain = PurePosixPath(name.replace("\\", "/"))
        return self._best(self._named.get(plain.name.lower(), ()), plain.parts[:-1], near, split)

    def stemmed(self, stem: str, near: Path, split: str = "") -> str:
        """As `named`, for a name without its suffix."""
        return self._best(self._stems.get(stem.lower(), ()), (), near, split)

    def _best(self, found: Sequence[str], above: Sequence[str], near: Path, split: str) -> str:
        def rank(path: str) -> tuple[int, bool, int, int]:
            folders = Path(path).parts[:-1]
            told = sum(1 for a, b in zip(reversed(folders), reversed(above), strict=False) if a.lower() == b.lower())
            shared = sum(1 for a, b in zip(folders, near.absolute().parts, strict=False) if a == b)
            return told, bool(split) and self.split(path) == split, shared, -len(folders)

        return max(found, key=rank, default="")


def missing_picture(subject: str, detail: str = "there is no such image below the data folder") -> Issue:
    """A picture that is annotated and is not there."""
    return Issue(kind="missing", subject=subject, detail=detail)
