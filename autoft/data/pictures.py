"""Finds the file that an annotation or a table means: the names there are often relative to another folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from autoft.data.media import SUFFIXES, is_media, part_of, part_word, walk
from autoft.datarecords import Issue

DRAWN = frozenset(
    "mask masks trimap trimaps annotation annotations label labels gt groundtruth ground_truth seg segmentation "
    "segmentations segmentationclass segmentationobject".split()
)
"""Folders of what was drawn after pictures of the same names, in small letters."""

UPLOAD = re.compile(r"[0-9a-f]{8}-(.+)")
"""Label Studio's name of an upload, before which it puts eight digits. What stands behind them counts where one file
alone is called so."""


class Pictures:
    """All image files below a folder, or those of another medium."""

    def __init__(self, root: str | Path, field: str = "image") -> None:
        self.root = Path(root).absolute()
        self.field = field
        self.others: list[str] = []
        """Files that are not of the medium, in the order of their paths."""
        self.paths: list[str] = []
        self._named: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        self._numbers: dict[str, list[str]] = defaultdict(list)
        for path in walk(str(self.root)):
            if not is_media(path, field):
                self.others.append(path)
                continue
            self.paths.append(path)
            self._named[_plain(Path(path).name)].append(path)
            self._stems[(stem := _plain(Path(path).stem))].append(path)
            if stem.isdigit():
                self._numbers[stem.lstrip("0")].append(path)

    def id(self, path: str) -> str:
        """The path below the root."""
        return Path(path).relative_to(self.root).as_posix()

    def split(self, path: str) -> str:
        """train, val or test if a folder between the root and the file is called so, else an empty string."""
        below = Path(path).absolute()
        parts = below.relative_to(self.root).parts[:-1] if below.is_relative_to(self.root) else ()
        return next((part_word(part) for part in reversed(parts) if part_word(part)), "")

    def named(self, name: str, near: Path, split: str = "") -> str:
        """The picture that a file in the folder `near` calls `name`, or an empty string.

        Of several files of that name it is the one whose folders fit best: those that `name` tells, then none of masks,
        then the split's, then those nearest to `near`. Nothing outside the root is looked at.
        """
        plain = plain_path(name)
        return self._best(self._called(plain), plain.parts[:-1], near, split)

    def stemmed(self, stem: str, near: Path, split: str = "") -> str:
        """As `named`, for a name without its suffix."""
        return self._best(self._stems.get(_plain(stem), ()), (), near, split)

    def meant(self, name: str, split: str = "") -> list[str]:
        """All files that `name` can mean: those of several whose folders fit it best, then those in no folder of masks,
        then those of the split's, then those with its capital letters."""
        plain = plain_path(name)
        found = self._called(plain)
        parts = self._parts(found) if split and len(found) > 1 else {}
        ranks = [
            (
                _told(path, plain.parts[:-1]),
                not self._drawn(path),
                parts.get(path) == split if parts else False,
                plain.stem == Path(path).stem,
            )
            for path in found
        ]
        return [path for path, rank in zip(found, ranks, strict=True) if rank == max(ranks)]

    def _parts(self, found: Sequence[str]) -> dict[str, str]:
        """Path -> part of files of one name. Folders such as `cars_train` and `cars_test` count where all are called
        so: `bullet_train` beside `plane` is none."""
        told = {path: self.split(path) for path in found}
        if any(told.values()):
            return told
        loose = {path: next(filter(None, map(part_of, reversed(self.id(path).split("/")[:-1]))), "") for path in found}
        return loose if all(loose.values()) else told

    def _drawn(self, path: str) -> bool:
        return not DRAWN.isdisjoint(part.lower() for part in Path(path).relative_to(self.root).parts[:-1])

    def _called(self, plain: PurePosixPath) -> Sequence[str]:
        """Files of that name; else those that it names without a suffix, or with that of another format; else, for a
        number, those whose names fill it up with zeros: 7 is `000007.png`; else those with `%20` and the like read."""
        name = _plain(plain.name)
        stem = _plain(plain.stem) if plain.suffix.lower() in SUFFIXES[self.field] else name
        found = self._named.get(name, self._stems.get(stem, []))
        if not found and name.isdigit():
            found = self._numbers.get(name.lstrip("0"), [])
        if not found and "%" in name and (written := unquote(name)) != name:  # `a%20b.jpg` of a web page's list
            return self._called(PurePosixPath(written))
        if found or not (upload := UPLOAD.fullmatch(name)):
            return found
        first = self._called(PurePosixPath(upload[1]))
        return first if len(first) == 1 else []

    def _best(self, found: Sequence[str], above: Sequence[str], near: Path, split: str) -> str:
        def rank(path: str) -> tuple[int, bool, bool, int, int]:
            folders = Path(path).parts[:-1]
            shared = sum(1 for a, b in zip(folders, near.absolute().parts, strict=False) if a == b)
            own = bool(split) and self.split(path) == split
            return _told(path, above), not self._drawn(path), own, shared, -len(folders)

        return max(found, key=rank, default="")


def plain_path(name: str) -> PurePosixPath:
    """The path in an address, a Windows path or a Label Studio link (`/data/local-files/?d=a/b.jpg`)."""
    if "://" in name or "?d=" in name:
        link = re.search(r"[?&]d=([^&]*[./][^&]*)", name)
        try:
            name = unquote(link[1] if link else urlsplit(name).path)
        except ValueError:  # no address: words with `://` and a bracket among them
            return PurePosixPath(name)
    return PurePosixPath(name.replace("\\", "/"))


def _plain(name: str) -> str:
    """In small letters; an accent may be a sign of its own or part of its letter, as the file system likes it."""
    if name.isascii():
        return name.lower()
    import unicodedata  # commands that read nothing start without it

    return unicodedata.normalize("NFC", name).lower()


def missing_picture(subject: str, detail: str = "there is no such image below the data folder") -> Issue:
    """A picture that is annotated and is not there."""
    return Issue(kind="missing", subject=subject, detail=detail)


def _told(path: str, above: Sequence[str]) -> int:
    """How many of the folders that a name tells are those of a file, from the innermost on."""
    pairs = zip(reversed(Path(path).parts[:-1]), reversed(above), strict=False)
    return sum(1 for a, b in pairs if a.lower() == b.lower())
