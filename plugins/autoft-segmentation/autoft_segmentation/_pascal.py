"""The classes of Pascal VOC, whose masks are known by their folder and by what lies beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from autoft_segmentation._names import ClassList

WORDS = "Pascal VOC's own list"
FOLDER = re.compile(r"VOC(19|20)\d\d", re.IGNORECASE)
THINGS = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep "
    "sofa train tvmonitor"
).split()
PARTS = frozenset({"head", "hand", "foot"})
"""Of persons, which have names as well."""
LOOKED_AT = 50
"""Files of boxes whose names are looked at: many data of other classes lie in folders that are called so."""
NAME = re.compile(rb"<name>\s*([^<]*?)\s*</name>")


def by_place(paths: Sequence[str]) -> ClassList | None:
    """The list, where all masks lie in `VOC2012/SegmentationClass` or the like, and all boxes are of its classes."""
    folders = {Path(path).parent for path in paths}
    sets = {folder.parent for folder in folders}
    if {folder.name.lower() for folder in folders} != {"segmentationclass"}:
        return None
    if not all(FOLDER.fullmatch(folder.name) and _own(folder / "Annotations") for folder in sets):
        return None
    values = {str(number): name for number, name in enumerate(("background", *THINGS))}
    return ClassList(WORDS, {**values, "255": ""})


def _own(folder: Path) -> bool:
    names = set[str]()
    for file in islice(sorted(folder.glob("*.xml")), LOOKED_AT):
        names |= {name.decode("utf-8", "replace") for name in NAME.findall(file.read_bytes())}
    return bool(names - PARTS) and names <= {*THINGS, *PARTS}
