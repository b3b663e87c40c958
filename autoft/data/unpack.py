"""Media that lie as bytes inside a data set, written once as files into the cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autoft.data import cache
from autoft.data.media import SUFFIXES, medium_magic

INDEX = "files.json"


def digest(path: str) -> str:
    """Of all that stands in a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def key(*words: str) -> str:
    """A name for what is told by these words alone."""
    return hashlib.blake2b("|".join(words).encode(), digest_size=16).hexdigest()


def files(key: str, field: str, cells: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """Absolute path of each cell's file, empty for an empty cell.

    Args:
        key: names the content; a folder with this key from an earlier run is used as it is.
        field: the medium, for the suffix.
        cells: `bytes` (kept as they are) or, when these are absent, the `path` of a file.

    Raises:
        UsageError: the cache cannot be written.
    """
    folder = cache.cache_root() / "hf" / key
    if not (folder / INDEX).is_file():
        try:
            _write(folder, field, cells)
        except OSError as error:
            raise cache.unusable(folder.parent, error) from error
    names = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return [str(folder / name) if name else "" for name in names]


def _write(folder: Path, field: str, cells: Iterable[Mapping[str, Any] | None]) -> None:
    from autoft import atomic  # not on every start

    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.first(folder, INDEX) as draft:
        names = [_put(draft, row, field, cell) for row, cell in enumerate(cells)]
        (draft / INDEX).write_text(json.dumps(names), encoding="utf-8")


def _put(folder: Path, row: int, field: str, cell: Mapping[str, Any] | None) -> str:
    """The file's name below `folder`, or the absolute path of a file that exists already."""
    if cell is None:
        return ""
    if cell.get("bytes") is None:
        return os.path.abspath(cell["path"]) if cell.get("path") else ""
    # Of the data set's own file name only a known suffix is kept: the rest could point anywhere.
    suffix = os.path.splitext(cell.get("path") or "")[1].lower()
    suffix = suffix if suffix in SUFFIXES[field] else medium_magic(cell["bytes"][:16])[1]
    name = f"{row // 1000:04d}/{row:07d}{suffix}"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(cell["bytes"])
    return name
