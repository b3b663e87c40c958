"""The classes of Cityscapes, whose masks are known by their names: the 19 that are scored, all others ignored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from autoft_segmentation._names import ClassList

WORDS = "Cityscapes' own list"
NAMED = re.compile(r".+_gt(?:fine|coarse)_label(train)?ids")
SCORED = {
    7: "road",
    8: "sidewalk",
    11: "building",
    12: "wall",
    13: "fence",
    17: "pole",
    19: "traffic light",
    20: "traffic sign",
    21: "vegetation",
    22: "terrain",
    23: "sky",
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}
IDS = 34


def by_name(paths: Sequence[str]) -> ClassList | None:
    """The list, where all masks are called as in Cityscapes, with the numbers of one kind."""
    found = [NAMED.fullmatch(Path(path).stem.lower()) for path in paths]
    kinds = {bool(match[1]) for match in found if match}
    if not all(found) or len(kinds) != 1:
        return None
    if kinds == {True}:
        return ClassList(WORDS, {str(place): name for place, name in enumerate(SCORED.values())})
    return ClassList(WORDS, {str(number): SCORED.get(number, "") for number in range(IDS)})
