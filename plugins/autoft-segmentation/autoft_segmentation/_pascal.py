"""The classes of Pascal VOC, whose masks are known by their folder and by what lies beside it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from autoft.api import survey_mask
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
"""Files of boxes whose names are looked at, and masks whose numbers are: many data of other classes lie in folders that
are called so."""
SURE = 0.8
"""Share of the masks with a number whose boxes must name its class."""
VOID = 255
NAME = re.compile(rb"<name>\s*([^<]*?)\s*</name>")


def by_place(paths: Sequence[str]) -> ClassList | None:
    """The list, where all masks lie in `VOC2012/SegmentationClass` or the like, all boxes are of its classes, and those
    of each mask are the classes of its numbers: others call their classes so, too, and number them from 1."""
    masks = defaultdict[Path, list[Path]](list)
    for path in map(Path, sorted(paths)):
        masks[path.parent].append(path)
    if {folder.name.lower() for folder in masks} != {"segmentationclass"}:
        return None
    for folder, found in masks.items():
        boxes = folder.parent / "Annotations"
        if not FOLDER.fullmatch(folder.parent.name) or not _named(boxes) or not _numbered(found, boxes):
            return None
    values = {str(number): name for number, name in enumerate(("background", *THINGS))}
    return ClassList(WORDS, {**values, str(VOID): ""})


def _named(folder: Path) -> bool:
    """Whether boxes are of these classes alone."""
    names = _names(islice(sorted(folder.glob("*.xml")), LOOKED_AT))
    return bool(names - PARTS) and names <= {*THINGS, *PARTS}


def _numbered(masks: Sequence[Path], folder: Path) -> bool:
    """Whether the boxes of nearly each mask with a number name the class that it is here."""
    boxed = [(mask, file) for mask in masks if (file := folder / f"{mask.stem}.xml").is_file()]
    seen, right = Counter[int](), Counter[int]()
    for mask, file in boxed[:: max(1, -(-len(boxed) // LOOKED_AT))]:
        survey = survey_mask(str(mask))
        values = set(survey.values) - {0, VOID} if survey else set[int]()
        seen.update(values)
        right.update({THINGS.index(name) + 1 for name in _names([file]) - PARTS if name in THINGS} & values)
    return bool(seen) and all(right[value] >= SURE * number for value, number in seen.items())


def _names(files: Iterable[Path]) -> set[str]:
    return {name.decode("utf-8", "replace") for file in files for name in NAME.findall(file.read_bytes())}
