"""Supervisely's folders: `ds0/img/a.jpg` and `ds0/ann/a.jpg.json`, with rectangles, polygons and bitmaps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from autoft.data import bitmap
from autoft.data.drawn import UNREADABLE, Drawings, DrawnImage, DrawnShape, polygon, rectangle, unannotated
from autoft.data.jsonfile import ends, load, side
from autoft.data.media import is_media, split_word, walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.datarecords import Issue
from autoft.errors import DataError

FOLDER: Final = "ann"
IMAGES: Final = "img"
MOST: Final = 1 << 28
"""Pixels of a picture whose bitmaps are read."""


def sign(source: str) -> str:
    """Looks at both ends of the first JSON file in a folder `ann`."""
    found = next(_files(source), None)
    claimed = ends(found) if found else b""
    fits = found and b'"objects"' in claimed and b'"size"' in claimed
    return f"Supervisely ({found.parent.parent.name}/{FOLDER} beside {IMAGES})" if found and fits else ""


def read(source: str, target: str, issues: list[Issue]) -> Drawings:
    """One entry for each file in a folder `ann` that has a picture, in `img` beside it or anywhere by its name.

    The part is the word in a folder's name, else a tag of the picture that is such a word.

    Raises:
        DataError: there are no such files.
    """
    files = list(_files(source))
    if not files:
        raise DataError(f"'{source}' must hold folders img and ann of Supervisely, but it does not.")
    pictures = Pictures(source)
    found = []
    for file in files:
        content = load(file, ("objects",), "there is no list of objects", issues, drops=True)
        if content is None:
            continue
        path = _picture(file, pictures)
        if not path:
            issues.append(missing_picture(pictures.id(str(file.absolute())), f"no image called {file.stem}"))
            continue
        size = _size(content.get("size"))
        shapes = tuple(_shape(entry, size) for entry in content["objects"] if isinstance(entry, dict))
        part = pictures.split(path) or _tagged(content.get("tags"))
        found.append(DrawnImage(pictures.id(path), path, part, size, shapes))
    unannotated(pictures, [*found], issues, "no JSON file")
    return Drawings(pictures.root, f"Supervisely ({len(files)} JSON files)", tuple(found))


def _files(source: str) -> Iterator[Path]:
    if Path(source).is_dir():
        for path in walk(source):
            if path.lower().endswith(".json") and Path(path).parent.name == FOLDER:
                yield Path(path)


def _picture(file: Path, pictures: Pictures) -> str:
    beside = file.absolute().parent.parent / IMAGES / file.stem
    if beside.is_file() and is_media(str(beside), "image"):
        return str(beside)
    return pictures.named(file.stem, file.parent.parent / IMAGES)


def _size(value: Any) -> tuple[int, int]:
    known = value if isinstance(value, dict) else {}
    return side(known.get("width")), side(known.get("height"))


def _tagged(tags: Any) -> str:
    """train, val or test where a tag of the picture is called so; old files have names, new ones objects."""
    listed = tags if isinstance(tags, list) else []
    names = (str(tag.get("name") if isinstance(tag, dict) else tag) for tag in listed)
    parts = {part for name in names if (part := split_word(name))}
    return parts.pop() if len(parts) == 1 else ""


def _shape(entry: dict[str, Any], size: tuple[int, int]) -> DrawnShape:
    name, drawn = str(entry.get("classTitle") or ""), entry.get("bitmap")
    kind = entry.get("geometryType") or ("bitmap" if drawn else "")
    try:
        if kind == "bitmap":
            return _bitmap(name, drawn, size)
        points = entry.get("points") or {}
        outer = [(float(x), float(y)) for x, y in points.get("exterior") or ()]
        inner = [[(float(x), float(y)) for x, y in ring] for ring in points.get("interior") or ()]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return DrawnShape(name, UNREADABLE)
    if kind == "rectangle" or (not kind and len(outer) == 2):
        return DrawnShape(name, rectangle(*outer[0], *outer[1]) if len(outer) == 2 else UNREADABLE)
    if kind not in ("polygon", ""):
        return DrawnShape(name)  # points and lines have no area
    holes = tuple(ring for points in inner if (ring := polygon(points)))
    return DrawnShape(name, polygon(outer), holes)


def _bitmap(name: str, drawn: Any, size: tuple[int, int]) -> DrawnShape:
    """Raises what damaged ones raise."""
    left, top = (int(place) for place in drawn["origin"])
    most = size[0] * size[1]
    if not 0 < most <= MOST or max(abs(left), abs(top)) > MOST:
        raise ValueError("the picture's size is not told, or the bitmap is far outside of it")
    pixels = bitmap.unpacked(str(drawn["data"]), most)
    ring = bitmap.around(pixels, left, top)
    return DrawnShape(name, ring, runs=bitmap.runs(pixels, left, top, size) if ring else ())
