"""What the readers of lists of recordings share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from autoft.api import DataError, Issue, ReadOptions, split_word

NEEDS = frozenset({"audio", "transcript"})


def folder_of(source: str, options: ReadOptions) -> Path | None:
    """The folder, if the task asks for recordings with transcripts and the source is a folder on this disk."""
    return folder(source) if set(options.needs) == NEEDS else None


def folder(source: str) -> Path | None:
    """The folder, if the source is one on this disk."""
    if not source or "\0" in source:
        return None
    try:
        path = Path(source).absolute()
        return path if path.is_dir() else None
    except OSError:  # a name too long for a file is the name of none
        return None


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers from 1 on.

    Raises:
        DataError: the file cannot be read as UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"'{file}' must be text in UTF-8, but it cannot be read: {error}.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line


def part_of(name: str) -> str:
    """train, val or test, if one of their words is in a name: `train-clean-100`, `data/test_other`."""
    parts = {split_word(word) for word in re.split(r"[^a-z]+", name.lower())} - {""}
    return parts.pop() if len(parts) == 1 else ""


def missing(where: str, path: str) -> Issue:
    return Issue(kind="missing", subject=where, detail=f"there is no file '{path}'")
