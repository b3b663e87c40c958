"""Who speaks, where folders say so for certain: those whose names recordings bear (LibriSpeech, Multilingual
LibriSpeech, VCTK, AISHELL), those of TIMIT and VoxForge, and those that are called `speaker_1`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft_speech._lists import part_of

CALLED = re.compile(r"(?:speaker|spkr|spk)[\s_-]?\w*\d+", re.IGNORECASE)
TIMIT = re.compile(r"[FM][A-Z]{3}\d", re.IGNORECASE)
DIALECT = re.compile(r"DR\d", re.IGNORECASE)
VOXFORGE = re.compile(r"(.+)-(?:19|20)\d{6}(?:-\w+)?")
ANONYMOUS = "anonymous"
"""Many people, in VoxForge: there each folder is one."""
LONG = 4
"""Letters and digits of a folder's name from which on it is no accident that recordings bear it within theirs."""
MOST = 0.9
"""Share of the recordings whose speaker must be known."""
FEWEST = 3
"""Speakers for parts of their own."""
LARGEST = 0.5
"""Share of the recordings that one speaker may have: more leave too little for other parts."""


class Speakers(NamedTuple):
    groups: Mapping[str, str]
    """Path -> speaker; none where speakers are not kept apart."""
    said: str = ""
    """For the user."""


def speakers(root: Path, paths: Sequence[str], splits: Mapping[str, str]) -> Speakers:
    """The speakers of recordings.

    Args:
        splits: the parts that are given. Where a speaker is in several of them, nobody is moved.
    """
    found = {path: name for path in paths if (name := _speaker(os.path.relpath(path, root)))}
    counts = Counter(found.values())
    if len(counts) < 2 or len(found) < MOST * len(paths):
        return Speakers({})
    said = f"; {len(counts)} speakers by their folders"
    if len(counts) < FEWEST or max(counts.values()) > LARGEST * len(paths):
        return Speakers({}, f"{said}, too few or too uneven for parts of their own")
    if len({(name, splits.get(path, "")) for path, name in found.items()}) > len(counts):
        return Speakers({}, f"{said}, some in several of the given parts")
    return Speakers(found, f"{said}, each stays in one part")


def _speaker(path: str) -> str:
    """The speaker of a path below the data, or an empty string: the outermost folder that says one."""
    folders, stem = Path(path).parts[:-1], Path(path).stem
    for place, folder in enumerate(folders):
        if part_of(folder):
            continue
        if voxforge := VOXFORGE.fullmatch(folder):
            return folder if voxforge[1].lower() == ANONYMOUS else voxforge[1]
        dialect = place and DIALECT.fullmatch(folders[place - 1])
        if CALLED.fullmatch(folder) or (dialect and TIMIT.fullmatch(folder)) or _bears(stem, folder):
            return folder
    return ""


def _bears(stem: str, folder: str) -> bool:
    if not any(letter.isdigit() for letter in folder):
        return False
    first = re.split(r"[-_.]", stem)[0]
    letters = sum(letter.isalpha() for letter in folder)
    return first == folder != stem or (len(folder) >= LONG and 0 < letters < LONG and folder in stem != folder)
