"""Folders of people whose files say the class: `01/0_01_12.wav` of AudioMNIST, `AF01/AF01ANS.JPG` of KDEF."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from autoft.data import advice
from autoft.data.places import SPEAKER, TOGETHER, Levels, Place
from autoft.errors import DataError

FEWEST: Final = 3
"""Folders."""
MOST: Final = 0.9
"""Share of the folders that must have a code, for it to go across them."""
NUMBER: Final = re.compile(r"\d{2,}")
"""What many people are called; `7` is a digit."""
SIGN: Final = re.compile(r"[A-Z]{1,2}\d{2,}")
"""What people are called who have no names: a letter or two, and a number."""
AGAIN: Final = 2
"""Files of each code in a folder, on average, for it to be a class."""


def read(places: Sequence[Place], field: str) -> Levels | None:
    """The classes by codes in the files' names, each folder a group; None where folders are the classes.

    The folders must be called by numbers of two digits or more, or like people, and each file must have its folder's
    name in its own. What stands before it and comes again in nearly all folders is the class, for it is no count: where
    the folders are called like people, or are more than these numbers. Letters behind it that come again in all folders
    may be the class as well as the folder.

    Raises:
        DataError: folders and letters could both be the classes.
    """
    labels = {place.label for place in places}
    if len(labels) < FEWEST or field == "text" or not (_are_people(labels) or all(map(NUMBER.fullmatch, labels))):
        return None
    stems = {place.path: os.path.splitext(os.path.basename(place.path))[0] for place in places}
    before: dict[str, str] = {}
    behind: dict[str, str] = {}
    for place in places:
        head, found, rest = stems[place.path].partition(place.label)
        if not found or (head and head[-1].isalnum()) or (rest and rest[0].isdigit()):
            return None
        before[place.path], behind[place.path] = head.strip("_-. "), re.split(r"[\d_\-. ]", rest.strip("_-. "))[0]
    heads = {*before.values()}
    fewer = all(head.isdigit() for head in heads) and len(heads) < len(labels)
    if not fewer and not _are_people(labels):
        return None  # anna_7_1.wav and 7_anna_1.wav lie in 7/
    if _across(places, before) and len(places) >= AGAIN * len(heads) * len(labels):
        found_in = [place._replace(label=before[place.path], group=place.label) for place in places]
        first = places[0]
        words = f"the classes stand in the files' names, '{before[first.path]}' in {os.path.basename(first.path)}"
        return Levels(found_in, f"; {words}; the folders are no classes by their names, {TOGETHER}")
    letters = {*behind.values()}
    if not any(heads) and len(letters) >= FEWEST and min(map(len, letters)) > 1 and _across(places, behind):
        raise _doubt(places[0], behind[places[0].path], field)
    return None


def _across(places: Sequence[Place], codes: Mapping[str, str]) -> bool:
    """Whether each file has a code, and nearly all folders have each code."""
    within: dict[str, set[str]] = defaultdict(set)
    for place in places:
        within[place.label].add(codes[place.path])
    times = Counter(code for found in within.values() for code in found)
    return "" not in times and len(times) > 1 and all(count >= MOST * len(within) for count in times.values())


def _doubt(first: Place, code: str, field: str) -> DataError:
    name = os.path.basename(first.path)
    return DataError(
        f"the {field} files must say their class in one way, but either of two could be it: the folder "
        f"'{first.label}', or '{code}' in the name '{name}', as nearly all folders have it.",
        f"{advice.layout(field)}, or list them in a CSV file with the columns {field},label,person and name the last: "
        "--group-col person",
    )


def _are_people(names: Collection[str]) -> bool:
    """Whether names are those of people, or their signs: `Actor_03`, `AF01`."""
    return all(map(SPEAKER.fullmatch, names)) or all(SIGN.fullmatch(name) for name in names)
