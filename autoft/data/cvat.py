"""CVAT's own XML: "CVAT for images" lists images with the shapes on each, "CVAT for video" tracks with a shape for each
frame."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from autoft.data import bitmap
from autoft.data.coco import coco_root
from autoft.data.drawn import (
    UNREADABLE,
    Drawings,
    DrawnImage,
    DrawnShape,
    Ring,
    ellipse,
    polygon,
    rectangle,
    unannotated,
)
from autoft.data.media import part_word, walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.data.xmlfile import read_xml
from autoft.datarecords import Issue
from autoft.errors import DataError
from autoft.names import natural

PEEK: Final = 1 << 16
"""Bytes at the beginning of a file in which its elements are looked for."""
DRAWN: Final = ("box", "polygon", "ellipse", "mask")
"""Shapes with an area."""
OTHERS: Final = ("polyline", "points", "cuboid", "skeleton")
FRAME: Final = "frame_{:06d}"
"""What CVAT calls the frames of a video."""
MOST_FRAMES: Final = 10_000_000
MOST: Final = 1 << 28
"""Pixels of a picture whose brush masks are read."""


def sign(source: str) -> str:
    """Looks at the beginning of the XML files."""
    found = next(_files(source), None)
    return f"CVAT ({found.name} begins with <annotations>)" if found else ""


def read(source: str, target: str, issues: list[Issue]) -> Drawings:
    """One entry for each `<image>` whose file is there, and for each frame of a video; one without shapes has none.

    The part is CVAT's subset, else the word in the name of a folder. Points, lines, cuboids and skeletons have no area;
    those of a picture are an issue.

    Raises:
        DataError: no file is one of CVAT's.
    """
    files = [file.absolute() for file in _files(source)]
    trees = [tree for file in files if (tree := read_xml(file, issues)) is not None]
    if not trees:
        said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
        raise DataError(f"'{source}' must hold XML of CVAT, but it does not{said}.")
    pictures = Pictures(coco_root(source))
    images = [found for tree in trees for found in (*_images(tree, pictures, issues), *_frames(tree, pictures, issues))]
    unannotated(pictures, images, issues, "not listed; not used")
    return Drawings(pictures.root, f"CVAT ({', '.join(file.name for file in files)})", tuple(images))


def _files(source: str) -> Iterator[Path]:
    for path in [source] if Path(source).is_file() else walk(source):
        if path.lower().endswith(".xml") and _claims(Path(path)):
            yield Path(path)


def _claims(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(PEEK)
    except OSError:  # it cannot be read, so it cannot be recognised
        return False
    return b"<annotations>" in head and any(word in head for word in (b"<image ", b"<track ", b"<meta>"))


def _images(tree: Element, pictures: Pictures, issues: list[Issue]) -> Iterator[DrawnImage]:
    for image in tree.iter("image"):
        name, part = image.get("name", ""), part_word(image.get("subset", ""))
        path = pictures.named(name, pictures.root, part)
        if not path:
            issues.append(missing_picture(name or f"image {image.get('id')}"))
            continue
        size = _whole(image.get("width")), _whole(image.get("height"))
        shapes = [(shape, shape.get("label", "")) for shape in image]
        yield _drawn(path, part, size, shapes, pictures, issues)


def _frames(tree: Element, pictures: Pictures, issues: list[Issue]) -> Iterator[DrawnImage]:
    """Of a video: those with shapes, and those of its length without. A shape that is `outside` is not to be seen."""
    found: dict[int, list[tuple[Element, str]]] = defaultdict(list)
    parts: dict[int, str] = {}
    tracks = list(tree.iter("track"))
    for track in tracks:
        for shape in track:
            frame = _whole(shape.get("frame"))
            parts[frame] = part_word(track.get("subset", ""))
            if shape.get("outside") != "1":
                found[frame].append((shape, track.get("label", "")))
    size = _whole(tree.findtext(".//original_size/width")), _whole(tree.findtext(".//original_size/height"))
    length = min(MOST_FRAMES, _whole(tree.findtext(".//task/size") or tree.findtext(".//job/size"))) if tracks else 0
    ordered = _in_order(pictures, length)
    for frame in sorted({*found, *parts, *range(length)}):
        part = parts.get(frame, "")
        called = ordered[frame] if frame < len(ordered) else ""
        path = called or pictures.stemmed(FRAME.format(frame), pictures.root, part)
        if path:
            yield _drawn(path, part, size, found[frame], pictures, issues)
        elif found[frame]:
            issues.append(missing_picture(FRAME.format(frame), "there is no image of this frame below the data folder"))


def _in_order(pictures: Pictures, length: int) -> list[str]:
    """The images as frames, where there are as many and none is called as frames are: what was uploaded as images keeps
    its names, which the file does not tell."""
    if len(pictures.paths) != length or pictures.stemmed(FRAME.format(0), pictures.root):
        return []
    return natural(pictures.paths)


def _drawn(
    path: str,
    part: str,
    size: tuple[int, int],
    shapes: list[tuple[Element, str]],
    pictures: Pictures,
    issues: list[Issue],
) -> DrawnImage:
    """What lies higher is drawn later."""
    shapes = sorted(shapes, key=lambda pair: _order(pair[0]))
    kept = tuple(_shape(shape, name, size) for shape, name in shapes if shape.tag in DRAWN)
    others = Counter(shape.tag for shape, _ in shapes if shape.tag in OTHERS)
    if others:
        detail = ", ".join(f"{number} {tag}" for tag, number in sorted(others.items()))
        issues.append(Issue(kind="shape_without_area", subject=pictures.id(path), detail=detail, drops=False))
    return DrawnImage(pictures.id(path), path, part or pictures.split(path), size, kept)


def _shape(shape: Element, name: str, size: tuple[int, int]) -> DrawnShape:
    try:
        if shape.tag == "mask":
            return _mask(shape, name, size)
        ring = _ring(shape)
    except (ValueError, OverflowError):
        ring = UNREADABLE
    return DrawnShape(name, ring, called=name)


def _ring(shape: Element) -> Ring:
    """Raises ValueError where numbers are missing or none."""
    turned = math.radians(_number(shape, "rotation", 0.0))
    if shape.tag == "ellipse":
        x, y, across, down = (_number(shape, key) for key in ("cx", "cy", "rx", "ry"))
        return ellipse(x, y, across, down, turned)
    if shape.tag == "box":
        x1, y1, x2, y2 = (_number(shape, key) for key in ("xtl", "ytl", "xbr", "ybr"))
        return _turned(rectangle(x1, y1, x2, y2), ((x1 + x2) / 2, (y1 + y2) / 2), turned)
    points = [point.split(",") for point in shape.get("points", "").split(";")]
    return polygon([(float(x), float(y)) for x, y in points]) or UNREADABLE


def _turned(ring: Ring, middle: tuple[float, float], angle: float) -> Ring:
    """Clockwise, as pictures have y below."""
    if not angle:
        return ring
    cosine, sine = math.cos(angle), math.sin(angle)
    turned: list[float] = []
    for x, y in zip(ring[::2], ring[1::2], strict=True):
        right, below = x - middle[0], y - middle[1]
        turned += [middle[0] + right * cosine - below * sine, middle[1] + right * sine + below * cosine]
    return tuple(turned)


def _mask(shape: Element, name: str, size: tuple[int, int]) -> DrawnShape:
    """Painted with the brush: run lengths of a part of the picture, row by row, what is outside first."""
    left, top, width, height = (int(_number(shape, key)) for key in ("left", "top", "width", "height"))
    runs = [int(count) for count in shape.get("rle", "").split(",")]
    total = width * height
    if not 0 < size[0] * size[1] <= MOST or not 0 < total <= MOST or max(abs(left), abs(top)) > MOST:
        raise ValueError("the picture's size is not told, or the mask is far outside of it")
    if min(runs) < 0 or sum(runs) > total:
        raise ValueError(f"run lengths for {sum(runs)} pixels, the mask has {total}")
    flat = np.zeros(total, bool)
    flat[: sum(runs)] = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    pixels = flat.reshape(height, width)
    ring = bitmap.around(pixels, left, top)
    return DrawnShape(name, ring, runs=bitmap.runs(pixels, left, top, size) if ring else (), called=name)


def _number(shape: Element, key: str, absent: float = math.nan) -> float:
    """Raises ValueError where it is missing or no finite number."""
    found = float(shape.get(key) or absent)
    if not math.isfinite(found):
        raise ValueError(f"{key} is no number")
    return found


def _whole(text: str | None) -> int:
    """0 for what is no whole number."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _order(shape: Element) -> int:
    text = shape.get("z_order", "0")
    return int(text) if text.lstrip("-").isdigit() else 0
