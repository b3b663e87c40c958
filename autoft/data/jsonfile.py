"""JSON files of annotations: told by what stands at their ends, and read if they hold the lists that they should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from autoft.datarecords import Issue

PEEK: Final = 1 << 16
"""Bytes at each end of a file in which its keys are looked for."""


def ends(file: Path, opening: bytes = b"{") -> bytes:
    """Both ends of a file that begins as a JSON object, or as a list (`[`); nothing of others, nor of one that cannot
    be read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(PEEK)
            opened.seek(max(0, file.stat().st_size - PEEK))
            found = head + opened.read(PEEK)
    except OSError:  # it cannot be read, so it cannot be recognised
        return b""
    return found if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(opening) else b""


def content(file: Path, issues: list[Issue], *, drops: bool) -> Any:
    """What stands in a file; None and an issue where it is no JSON.

    Args:
        drops: whether a sample is lost with the file.
    """
    try:
        return json.loads(file.read_bytes())  # the standard library, because it reads NaN, which people write
    except (OSError, ValueError, RecursionError) as error:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=str(error)[:200], drops=drops))
        return None


def load(
    file: Path, lists: Sequence[str], otherwise: str, issues: list[Issue], *, drops: bool
) -> dict[str, Any] | None:
    """The content of a file if it is an object with these lists; else None and an issue, which says `otherwise`.

    Args:
        drops: as for `content`.
    """
    before = len(issues)
    found = content(file, issues, drops=drops)
    if isinstance(found, dict) and all(isinstance(found.get(key), list) for key in lists):
        return dict(found)
    if len(issues) == before:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=otherwise, drops=drops))
    return None


def side(value: Any) -> int:
    """Of a picture, in pixels, as a file states it; 0 for what cannot be that."""
    return int(value) if isinstance(value, int | float) and 0 < value < 1e9 else 0
