"""Masks beside pictures are no samples of a class: `benign (1)_mask.png`, `COVID/masks` beside `COVID/images`."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection
from typing import Final

from autoft.data.foldernames import is_container
from autoft.data.pictures import DRAWN

NAME: Final = re.compile(r"(.+?)[_\-\s](mask|segmentation)(?:[_\-]?\d+)?", re.IGNORECASE)
"""The name of a picture, and what was drawn after it."""


def among(paths: Collection[str]) -> set[str]:
    """Those that are called after another file in the same folder, and those in a folder of drawings that lies beside
    one of pictures."""
    stems = {os.path.splitext(path)[0] for path in paths}
    found = set()
    for path in paths:
        folder, name = os.path.split(os.path.splitext(path)[0])
        told = NAME.fullmatch(name)
        if told and os.path.join(folder, told[1]) in stems:
            found.add(path)
    return found | _in_folders(paths)


def _in_folders(paths: Collection[str]) -> set[str]:
    inside: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        inside[os.path.dirname(path)].append(path)
    beside: dict[str, set[str]] = defaultdict(set)
    for folder in inside:
        beside[os.path.dirname(folder)].add(folder)
    found: set[str] = set()
    for folders in beside.values():
        drawn = {folder for folder in folders if os.path.basename(folder).lower() in DRAWN}
        if any(is_container(os.path.basename(folder)) for folder in folders - drawn):
            found.update(path for folder in drawn for path in inside[folder])
    return found
