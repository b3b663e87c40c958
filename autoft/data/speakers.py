"""Folders within class folders: parts, or speakers above or below the classes."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from autoft.data import advice, codes
from autoft.data.foldernames import are_numbered, is_container
from autoft.data.media import part_word, shared_words, split_word
from autoft.data.places import SPEAKER, TOGETHER, Levels, Place
from autoft.errors import DataError

HASHED: Final = re.compile(r"(.+)_nohash_\d+\.\w+")
"""Files of Speech Commands (Warden, 2018): who speaks, and which of their recordings of this word it is."""
FEWEST: Final = 3
"""Speakers for parts of their own."""
LARGEST: Final = 0.5
"""Share of the files that one speaker may have: more leave too little for other parts."""
MOST: Final = 0.9
"""Share of the inner names that come again in other folders, for these to be the classes, or perhaps; and of the files
that name their speakers."""


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
    first = {path: below[0] for path, below in inner.items() if below}
    parts = {split_word(name) for name in first.values()} if len(first) == len(places) > 0 else {""}
    if "" not in parts and "train" in parts and len(parts) > 1 and not any(place.split for place in places):
        found = [place._replace(split=split_word(first[place.path])) for place in places]
        return Levels(found, "; parts are the folders within the class folders")
    names = {place.path: name for place in places if (name := _telling(inner[place.path], folders[place.path]))}
    enough = MOST * len(places) if field == "text" else len(places)  # notes lie beside folders of texts
    if len(names) < enough or not names:
        found_by = codes.read(places, field) or _by_files(places, field)
        return found_by._replace(said=found_by.said + _within(places, names))
    return _speakers(places, names, source) if field == "audio" else _classes(places, names, source, field)


def _telling(below: Sequence[str], outer: str) -> str:
    """The first of the folders within a class folder that is no container or part, nor called as the class folder."""
    return next((n for n in below if not (part_word(n) or is_container(n) or n == os.path.basename(outer))), "")


def _within(places: Sequence[Place], names: Mapping[str, str]) -> str:
    """What to say of folders within the class folders that are taken for nothing."""
    inside: dict[str, set[str]] = defaultdict(set)
    for place in places:
        if place.path in names:
            inside[place.label].add(names[place.path])
    several = sorted(label for label, found in inside.items() if len(found) > 1)
    if not several or 2 * len(names) < len(places):
        return ""
    return f"; folders lie within these, such as {several[0]}/{min(inside[several[0]])}, and are not told apart"


def _classes(places: Sequence[Place], names: Mapping[str, str], source: str, field: str) -> Levels:
    """Of images and texts. The same names in each outer folder could be the classes, and are where the outer ones
    differ in numbers alone."""
    within: dict[str, set[str]] = defaultdict(set)
    inside = [place for place in places if place.path in names]
    for place in inside:
        within[place.label].add(names[place.path])
    alike = next(iter(within.values()))
    crossed = len(within) > 1 and len(alike) > 1 and all(found == alike for found in within.values())
    if not crossed or _are_portions(alike):
        return Levels(list(places), _within(places, names))
    if not are_numbered(within.keys()):
        raise _doubt(inside, names, source, field)
    grouped = len(within) >= FEWEST
    found = [place._replace(label=names[place.path], group=place.label if grouped else "") for place in inside]
    said = f"; the outer folders are no classes by their names{f', {TOGETHER}' if grouped else ''}"
    beside = len(places) - len(inside)
    return Levels(found, said + (f"; {beside} files beside the inner folders are left out" if beside else ""))


def _by_files(places: Sequence[Place], field: str) -> Levels:
    """Where no folders lie within: speakers as files name them, in the form of Speech Commands."""
    if field != "audio":
        return Levels(list(places), _people({place.label for place in places}, "people"))
    who = {place.path: named[1] for place in places if (named := HASHED.fullmatch(os.path.basename(place.path)))}
    counts = Counter(who.values())
    if len(counts) < FEWEST or len(who) < MOST * len(places) or max(counts.values()) > LARGEST * len(places):
        return Levels(list(places), _people({place.label for place in places}, "speakers"))
    found = [place._replace(group=who.get(place.path, "")) for place in places]
    if len({(place.group, place.split) for place in found if place.group}) > len(counts):
        return Levels(list(places), f"; {len(counts)} speakers by the names of the files, some in several of the parts")
    return Levels(found, f"; {len(counts)} speakers by the names of the files, {TOGETHER}")


def _speakers(places: Sequence[Place], names: Mapping[str, str], source: str) -> Levels:
    outer, within = {place.label for place in places}, set(names.values())
    above, below = _are_people(outer), _are_people(within)
    again = Counter(name for _, name in {(place.label, names[place.path]) for place in places})
    repeated = sum(times > 1 for times in again.values()) >= MOST * len(again)
    if below and not above:
        found = [place._replace(group=names[place.path]) for place in places]
        return Levels(found, f"; the folders within the class folders are speakers by their names, {TOGETHER}")
    if len(within) < 2 or len(outer) < 2 or not repeated or (not above and _are_portions(within)):
        return Levels(list(places), _within(places, names))
    if (above or shared_words(outer)) and not below:
        found = [place._replace(label=names[place.path], group=place.label) for place in places]
        who = "speakers by their names" if above else "no classes by their names"
        return Levels(found, f"; the outer folders are {who}, {TOGETHER}")
    raise _doubt(places, names, source, "audio")


def _doubt(places: Sequence[Place], names: Mapping[str, str], source: str, field: str) -> DataError:
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


def _people(labels: set[str], who: str) -> str:
    people = len(labels) > 1 and _are_people(labels)
    return f"; the folders are called like {who}, and these are the classes then" if people else ""
