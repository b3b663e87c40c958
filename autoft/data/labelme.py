"""LabelMe's JSON (Wada, labelme; also AnyLabeling): a file for each image with the shapes that were drawn on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from autoft.data.jsonfile import ends, load
from autoft.data.media import walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.datarecords import Issue

ROUND: Final = 32
"""Corners of a circle."""


class LabelMeShape(NamedTuple):
    """A polygon."""

    name: str
    ring: tuple[float, ...]
    """x1, y1, x2, y2, ... in pixels from 0; empty for what has no area (points, lines) or cannot be read."""


class LabelMeImage(NamedTuple):
    """A file whose image is there."""

    id: str
    """The path below the data folder."""
    path: str
    split: str
    """train, val or test where a folder is called so."""
    size: tuple[int, int]
    """Width and height that the file states; zeros where it does not."""
    shapes: tuple[LabelMeShape, ...]


def labelme_files(source: str) -> Iterator[Path]:
    """The JSON files in the folder `source`, at any depth, that look like LabelMe's; each is looked at at its ends."""
    if Path(source).is_dir():
        yield from (Path(file) for file in walk(source) if file.lower().endswith(".json") and _claims(Path(file)))


def read_labelme(source: str, files: Sequence[Path], issues: list[Issue]) -> list[LabelMeImage]:
    """One entry for each file that has an image: that called like the file, else the one that it names.

    What cannot be used is added to `issues`.
    """
    pictures = Pictures(source)
    found = []
    for file in files:
        content = load(file, ("shapes",), "there is no list of shapes", issues, drops=True)
        if content is None:
            continue
        said = str(content.get("imagePath") or "")
        path = pictures.stemmed(file.stem, file.parent) or pictures.named(said, file.parent)
        if not path:
            issues.append(missing_picture(pictures.id(str(file)), f"no image called {file.stem} or {said or '?'}"))
            continue
        size = tuple(int(side) if isinstance(side := content.get(f"image{key}"), int | float) and side > 0 else 0
                     for key in ("Width", "Height"))  # fmt: skip
        shapes = tuple(_shape(entry) for entry in content["shapes"] if isinstance(entry, dict))
        part = pictures.split(path) or pictures.split(str(file))
        found.append(LabelMeImage(pictures.id(path), path, part, (size[0], size[1]), shapes))
    used = {image.path for image in found}
    for path in pictures.paths:
        if path not in used:
            issues.append(Issue(kind="no_annotation", subject=pictures.id(path), detail="no JSON file", drops=False))
    return found


def _claims(file: Path) -> bool:
    found = ends(file)
    return b'"shapes"' in found and b'"imagePath"' in found


def _shape(entry: dict[str, Any]) -> LabelMeShape:
    name, kind = str(entry.get("label") or ""), entry.get("shape_type") or "polygon"
    try:
        points = [(float(x), float(y)) for x, y in entry.get("points") or ()]
    except (TypeError, ValueError):
        points = []
    if kind == "rectangle" and len(points) == 2:
        (x1, y1), (x2, y2) = points
        points = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    elif kind == "circle" and len(points) == 2:
        (x, y), radius = points[0], math.dist(*points)
        turns = [2 * math.pi * step / ROUND for step in range(ROUND)]
        points = [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]
    elif kind not in ("polygon", "rectangle", "rotation"):
        points = []
    flat = tuple(side for point in points for side in point) if len(points) > 2 else ()
    return LabelMeShape(name, flat if all(map(math.isfinite, flat)) else ())
