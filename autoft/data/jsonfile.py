"""JSON files of annotations: told by what stands at their ends, and read if they hold the lists that they should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from autoft.datarecords import Issue

PEEK: Final = 1 << 16
"""Bytes at each end of a file in which its keys are looked for."""


def ends(file: Path) -> bytes:
    """Both ends of a file that begins as a JSON object; nothing of others, nor of one that cannot be read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(PEEK)
            opened.seek(max(0, file.stat().st_size - PEEK))
            found = head + opened.read(PEEK)
    except OSError:  # it cannot be read, so it cannot be recognised
        return b""
    return found if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else b""


def load(
    file: Path, lists: Sequence[str], otherwise: str, issues: list[Issue], *, drops: bool
) -> dict[str, Any] | None:
    """The content of a file if it is an object with these lists; else None and an issue, which says `otherwise`.

    Args:
        drops: whether a sample is lost with the file.
    """
    try:
        content = json.loads(file.read_bytes())  # the standard library, because it reads NaN, which people write
    except (OSError, ValueError, RecursionError) as error:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=str(error)[:200], drops=drops))
        return None
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in lists):
        issues.append(Issue(kind="unreadable", subject=file.name, detail=otherwise, drops=drops))
        return None
    return dict(content)
