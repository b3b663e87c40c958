"""The text files of YOLO: which belongs to which image, and what a line says."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft.data.pictures import Pictures

Corners = tuple[float, float, float, float]


class Line(NamedTuple):
    """What a line says, in fractions of the sides."""

    called: str
    """The number of the class."""
    box: Corners
    """x1, y1, x2, y2."""
    ring: tuple[float, ...]
    """The polygon x1, y1, x2, y2, ...; empty where the line is a box."""


def label_files(images: Sequence[str], pictures: Pictures, names: Collection[str]) -> dict[str, Path]:
    """Image -> its text file: that in the usual place, else one of the same name that no other image has, in a folder
    of the same part or of none.

    Args:
        names: files that are no labels.
    """
    found = {path: label for path in images if (label := label_of(Path(path))) is not None}
    rest = [path for path in images if path not in found]
    if not rest:
        return found
    used = {str(label) for label in found.values()}
    stems: dict[str, list[str]] = defaultdict(list)
    for other in pictures.others:
        path = Path(other)
        if path.suffix.lower() == ".txt" and other not in used and path.name.lower() not in names:
            stems[path.stem].append(other)
    for image in rest:
        part = pictures.split(image)
        near = [text for text in stems.get(Path(image).stem, ()) if pictures.split(text) in ("", part) or not part]
        best = max(near, key=lambda text: (pictures.split(text) == part, _shared(text, image)), default="")
        if best and (is_label(Path(best)) or not lines(Path(best))):
            found[image] = Path(best)
    return found


def _shared(text: str, image: str) -> int:
    return sum(a == b for a, b in zip(Path(text).parts, Path(image).parts, strict=False))


def label_of(image: Path) -> Path | None:
    """The text file of an image: beside it, or below `labels` where the image lies below `images`."""
    beside = image.with_suffix(".txt")
    if beside.is_file():
        return beside
    parts = image.parts
    for place in reversed(range(len(parts) - 1)):
        if parts[place].lower() in ("images", "image", "imgs"):
            mirrored = Path(*parts[:place], "labels", *parts[place + 1 :]).with_suffix(".txt")
            return mirrored if mirrored.is_file() else None
    aside = image.parent.parent / "labels" / f"{image.stem}.txt"
    return aside if aside.is_file() else None


def lines(label: Path) -> list[str]:
    """Those of a text file that are not blank; none if it cannot be read."""
    try:
        text = label.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def parse(line: str, keypoints: bool = False) -> Line | None:
    """A line, or None if it is none of YOLO's. With six numbers or more it is a polygon; a fifth number alone is a
    confidence and is not used.

    Args:
        keypoints: what follows the box are points of a skeleton, not a polygon.
    """
    words = line.split()
    try:
        numbers = [float(word) for word in words[1:]]
        number = float(words[0])
    except ValueError:
        return None
    if not math.isfinite(number) or number != int(number) or len(numbers) < 4:
        return None
    if keypoints or len(numbers) in (4, 5):
        cx, cy, w, h = numbers[:4]
        return Line(str(int(number)), (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), ())
    if len(numbers) % 2:
        return None
    across, down = numbers[::2], numbers[1::2]
    return Line(str(int(number)), (min(across), min(down), max(across), max(down)), tuple(numbers))


def is_label(file: Path) -> bool:
    """Whether its first line reads as one of YOLO's."""
    found = lines(file) if file.suffix.lower() == ".txt" else []
    return bool(found) and parse(found[0]) is not None
