"""LabelMe's JSON (Wada, labelme; also AnyLabeling): a file for each image with the shapes that were drawn on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoft.data.drawn import Drawings, DrawnImage, DrawnShape, ellipse, polygon, rectangle, unannotated
from autoft.data.jsonfile import ends, load, side
from autoft.data.media import walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.datarecords import Issue
from autoft.errors import DataError


def sign(source: str) -> str:
    """Looks at both ends of the JSON files in a folder."""
    found = next(_files(source), None)
    return f"LabelMe ({found.name} lists shapes)" if found else ""


def read(source: str, target: str, issues: list[Issue]) -> Drawings:
    """One entry for each file that has an image: that called like the file, else the one that it names."""
    files = list(_files(source))
    if not files:
        raise DataError(f"'{source}' must hold JSON files of LabelMe, but it does not.")
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
        size = (side(content.get("imageWidth")), side(content.get("imageHeight")))
        shapes = tuple(_shape(entry) for entry in content["shapes"] if isinstance(entry, dict))
        part = pictures.split(path) or pictures.split(str(file))
        found.append(DrawnImage(pictures.id(path), path, part, size, shapes))
    unannotated(pictures, found, issues, "no JSON file")
    return Drawings(pictures.root, f"LabelMe ({len(files)} JSON files)", tuple(found))


def _files(source: str) -> Iterator[Path]:
    if Path(source).is_dir():
        yield from (Path(file) for file in walk(source) if file.lower().endswith(".json") and _claims(Path(file)))


def _claims(file: Path) -> bool:
    found = ends(file)
    return b'"shapes"' in found and b'"imagePath"' in found


def _shape(entry: dict[str, Any]) -> DrawnShape:
    name, kind = str(entry.get("label") or ""), entry.get("shape_type") or "polygon"
    try:
        points = [(float(x), float(y)) for x, y in entry.get("points") or ()]
    except (TypeError, ValueError, OverflowError):
        points = []
    ring: tuple[float, ...] = ()
    if kind == "rectangle" and len(points) == 2:
        ring = rectangle(*points[0], *points[1])
    elif kind == "circle" and len(points) == 2:
        radius = math.dist(*points)
        ring = ellipse(*points[0], radius, radius)
    elif kind in ("polygon", "rectangle", "rotation"):
        ring = polygon(points)
    return DrawnShape(name, ring if all(map(math.isfinite, ring)) else ())
