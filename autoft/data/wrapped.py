"""A folder that holds the data set's folder alone, as unpacking an archive leaves it."""

from __future__ import annotations

import os
import re
from typing import Final

from autoft.data.foldernames import is_wrapper
from autoft.data.media import ARCHIVES, entries, is_junk
from autoft.data.pictures import DRAWN
from autoft.data.tablefiles import JSON, JSONL, LISTS, PARQUET, TEXT, unpacked

MOST: Final = 4
"""Folders around each other that are looked through."""
_SUFFIXES: Final = (".md", ".pdf", ".html", ".py", ".ipynb", ".docx", ".rst", *ARCHIVES)
_TOLD: Final = (*TEXT, *JSONL, *JSON, *PARQUET, *LISTS)
_ABOUT: Final = re.compile(
    r"(.*\.readme|readme|licen[cs]e|copying|notes|citation|change|requirements|attributes)", re.IGNORECASE
)


def places(source: str) -> list[str]:
    """Where the data may begin, the likeliest first: the folders that lie alone in each other, then `source`.

    A folder that is called as a part, a container or drawings tells something that is lost within it: the one around it
    goes before.
    """
    found = [source]
    while len(found) <= MOST and (inner := _lone(found[0])):
        if is_wrapper(os.path.basename(inner)) or os.path.basename(inner).lower() in DRAWN:
            return [*found, inner]
        found = [inner, *found]
    return found


def is_told_below(place: str, inner: str) -> bool:
    """Whether class folders in `place` would be the folder around a data set that tables or lists in it tell."""
    if not os.path.abspath(inner).startswith(os.path.abspath(place) + os.sep):
        return False
    below = [inner, *(entry.path for entry in entries(inner) if entry.is_dir())]
    return any(e.is_file() and unpacked(e.name).endswith(_TOLD) for folder in below for e in entries(folder))


def _lone(folder: str) -> str:
    """The only folder in one that has no files but those about the data; empty where there is none."""
    lone = ""
    try:
        with os.scandir(folder) as found:
            for entry in found:  # of a folder of many files the first one says it
                if is_junk(entry.name):
                    continue
                if entry.is_dir() and not lone:
                    lone = entry.path
                elif entry.is_dir() or not _is_about(entry.name):
                    return ""
    except (OSError, ValueError):  # no folder, or not for us: whoever reads it says so
        return ""
    return lone


def _is_about(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) or bool(_ABOUT.match(name))
