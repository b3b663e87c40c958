"""Folders within class folders: parts, or speakers above or below the classes."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from autoft.data import advice
from autoft.data.media import shared_words, split_word
from autoft.errors import DataError

_PEOPLE: Final = (
    "speaker speakers spk spkr actor actress subject subj user person participant patient talker voice child male "
    "female man woman volunteer client"
)
SPEAKER: Final = re.compile(rf"({'|'.join(_PEOPLE.split())}|id|[smfpu])[\s_\-]?\d+", re.IGNORECASE)
"""Names of people in data sets: `speaker_01`, `Actor_03`, `p225`."""
HASHED: Final = re.compile(r"(.+)_nohash_\d+\.\w+")
"""Files of Speech Commands (Warden, 2018): who speaks, and which of their recordings of this word it is."""
FEWEST: Final = 3
"""Speakers for parts of their own."""
LARGEST: Final = 0.5
"""Share of the files that one speaker may have: more leave too little for other parts."""
MOST: Final = 0.9
"""Share of the inner names that come again in other folders, for these to be the classes, or perhaps; and of the files
that name their speakers."""
TOGETHER: Final = "each stays in one part"


class Place(NamedTuple):
    """A file in a class folder, and what the folders say of it."""

    path: str
    label: str
    split: str
    group: str = ""


class Levels(NamedTuple):
    """All files."""

    places: list[Place]
    said: str = ""
    """What the folders within were taken for, for the user."""


def level(places: Sequence[Place], folders: dict[str, str], source: str, field: str) -> Levels:
    """The classes, parts and groups of files as all their folders say them.

    `yes/train/1.wav` is of a part. For recordings, `speaker_1/yes/1.wav` and `yes/speaker_1/1.wav` are of the class
    `yes`, and each speaker is a group.

    Args:
        places: files with the name of the outer folder as their class.
        folders: path of each file -> its outer folder.

    Raises:
        DataError: recordings lie in two levels of folders, either of which could be the classes.
    """
    inner = {place.path: place.path[len(folders[place.path]) + 1 :].split(os.sep)[:-1] for place in places}
    names = {path: below[0] for path, below in inner.items() if below}
    if len(names) < len(places) or not names:
        return _by_files(places) if field == "audio" else Levels(list(places))
    parts = {split_word(name) for name in names.values()}
    if "" not in parts and "train" in parts and len(parts) > 1 and not any(place.split for place in places):
        found = [place._replace(split=split_word(names[place.path])) for place in places]
        return Levels(found, "; parts are the folders within the class folders")
    if field == "audio":
        return _speakers(places, names, source)
    within: dict[str, set[str]] = defaultdict(set)
    for place in places:
        within[place.label].add(names[place.path])
    alike = next(iter(within.values()))
    crossed = len(within) > 1 and len(alike) > 1 and all(found == alike for found in within.values())
    if crossed and not _are_portions(alike):
        raise _doubt(places, names, source, field)
    return Levels(list(places))


def _by_files(places: Sequence[Place]) -> Levels:
    """Where no folders lie within: speakers as files name them, in the form of Speech Commands."""
    who = {place.path: named[1] for place in places if (named := HASHED.fullmatch(os.path.basename(place.path)))}
    counts = Counter(who.values())
    if len(counts) < FEWEST or len(who) < MOST * len(places) or max(counts.values()) > LARGEST * len(places):
        return Levels(list(places), _people({place.label for place in places}))
    found = [place._replace(group=who.get(place.path, "")) for place in places]
    if len({(place.group, place.split) for place in found if place.group}) > len(counts):
        return Levels(list(places), f"; {len(counts)} speakers by the names of the files, some in several of the parts")
    return Levels(found, f"; {len(counts)} speakers by the names of the files, {TOGETHER}")


def _speakers(places: Sequence[Place], names: dict[str, str], source: str) -> Levels:
    outer, within = {place.label for place in places}, set(names.values())
    above, below = _are_people(outer), _are_people(within)
    again = Counter(name for _, name in {(place.label, names[place.path]) for place in places})
    repeated = sum(times > 1 for times in again.values()) >= MOST * len(again)
    if below and not above:
        found = [place._replace(group=names[place.path]) for place in places]
        return Levels(found, f"; the folders within the class folders are speakers by their names, {TOGETHER}")
    if len(within) < 2 or len(outer) < 2 or not repeated or (not above and _are_portions(within)):
        return Levels(list(places))
    if (above or shared_words(outer)) and not below:
        found = [place._replace(label=names[place.path], group=place.label) for place in places]
        who = "speakers by their names" if above else "no classes by their names"
        return Levels(found, f"; the outer folders are {who}, {TOGETHER}")
    raise _doubt(places, names, source, "audio")


def _doubt(places: Sequence[Place], names: dict[str, str], source: str, field: str) -> DataError:
    first = places[0]
    outer, within = {place.label for place in places}, set(names.values())
    group = ",speaker and name the last: --group-col speaker" if field == "audio" else ""
    return DataError(
        f"the {field} files in '{source}' must say their class in one way, but either of two folders could be it: "
        f"'{first.label}' or '{names[first.path]}' (there are {len(outer)} folders, with {len(within)} names within).",
        "Give one of the outer folders as the data, if the inner ones are classes. "
        f"Else: {advice.layout(field)}, or list them in a CSV file with the columns {field},label{group}.",
    )


def _are_people(names: set[str]) -> bool:
    return all(map(SPEAKER.fullmatch, names))


def _are_portions(names: set[str]) -> bool:
    """Whether names differ in numbers alone, as those of sessions do."""
    return bool(shared_words(names)) or all(name.isdigit() for name in names)


def _people(labels: set[str]) -> str:
    people = len(labels) > 1 and _are_people(labels)
    return "; the folders are called like speakers, and these are the classes then" if people else ""
