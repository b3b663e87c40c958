"""YOLO text files: for each image the lines `class cx cy w h`, in fractions of the sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from autoft.api import Dataset, Issue, Pictures, ReadOptions, is_media, missing_picture, walk
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, refuse, wanted
from autoft_detection._yaml import Parts, description, find_yaml

Corners = tuple[float, float, float, float]

PROBED = 200
"""Images that `sniff` looks at before it gives up."""
NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt")
"""Where tools put the names of the classes, one a line, when there is no data.yaml."""


class YoloReader:
    """A folder with images and text files in `images/` and `labels/` or side by side, or the path of a data.yaml."""

    name = "yolo-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is YOLO, or an empty string. Opens a data.yaml and the first label file."""
        if not wanted(source, options):
            return ""
        found = find_yaml(source)
        if found:
            return f"YOLO ({found.name} names the classes)"
        if not Path(source).is_dir():
            return ""
        label = _first_label(source)
        return f"YOLO text files ({label.name} has lines `class cx cy w h`)" if label else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image; one without a text file, or with an empty one, has no boxes.

        A line with six numbers or more is a polygon, of which the box around it is taken; a sixth number alone is a
        confidence and is not used.

        Raises:
            DataError: there are no such files, or data.yaml is not one.
        """
        if not self.sniff(source, options):
            raise refuse(source, "images with YOLO text files, or be a data.yaml")
        issues: list[Issue] = []
        parts = description(source, issues)
        root = parts.root if parts else Path(source)
        pictures = Pictures(root)
        names = parts.names if parts else _names(source)
        chosen = _listed(parts, pictures, issues) if parts and parts.places else _all(pictures)
        drafts, used = [], set()
        for path, split in sorted(chosen.items()):
            draft, label = Draft(id=pictures.id(path), path=path, split=split, fractions=True), label_of(Path(path))
            if label:
                used.add(str(label))
                _read_label(label, names, draft, issues)
            drafts.append(draft)
        issues += _orphans(pictures, used, chosen)
        words = self.sniff(source, options)
        words += "" if names else "; no file names the classes, so their numbers do"
        return dataset(self.name, root, words, drafts, issues)


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


def _first_label(source: str) -> Path | None:
    """The first label file whose first line reads as one; empty files tell nothing."""
    seen = 0
    for path in walk(source):
        if not is_media(path, "image"):
            continue
        label = label_of(Path(path))
        seen += 1
        lines = _lines(label) if label else []
        if label and lines:
            return label if _parse(lines[0]) else None
        if seen >= PROBED:
            break
    return None


def _lines(label: Path) -> list[str]:
    try:
        text = label.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def _parse(line: str) -> tuple[str, Corners] | None:
    """Class number and corners in fractions, or None if the line is none of YOLO's."""
    words = line.split()
    try:
        numbers = [float(word) for word in words[1:]]
        number = float(words[0])
    except ValueError:
        return None
    if not math.isfinite(number) or number != int(number) or len(numbers) < 4:
        return None
    if len(numbers) in (4, 5):
        cx, cy, w, h = numbers[:4]
        return str(int(number)), (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    if len(numbers) % 2:
        return None
    across, down = numbers[::2], numbers[1::2]
    return str(int(number)), (min(across), min(down), max(across), max(down))


def _read_label(label: Path, names: dict[int, str], draft: Draft, issues: list[Issue]) -> None:
    for number, line in enumerate(_lines(label), 1):
        found = _parse(line)
        if found is None:
            detail = f"line {number}: '{line[:40]}' is not `class cx cy w h`"
            issues.append(Issue(kind="box_unreadable", subject=draft.id, detail=detail, drops=False))
            continue
        called, box = found
        draft.add(box, names.get(int(called), "") if names else called, called=called)


def _names(source: str) -> dict[int, str]:
    """Class number -> name from a file of names, empty if there is none."""
    for path in walk(source):
        if Path(path).name.lower() in NAME_FILES:
            return dict(enumerate(line.strip() for line in _lines(Path(path))))
    return {}


def _listed(parts: Parts, pictures: Pictures, issues: list[Issue]) -> dict[str, str]:
    """Image -> split, as data.yaml says: folders, and lists of images."""
    chosen: dict[str, str] = {}
    for split, place in parts.places:
        if place.is_dir():
            found = [path for path in pictures.paths if Path(path).is_relative_to(place)]
        else:
            found = []
            for line in _lines(place):
                path = pictures.named(line.strip(), place.parent, split)
                if path:
                    found.append(path)
                else:
                    issues.append(missing_picture(line.strip(), f"named by {place.name}"))
        for path in found:
            chosen.setdefault(path, split)
    return chosen


def _all(pictures: Pictures) -> dict[str, str]:
    return {path: pictures.split(path) for path in pictures.paths}


def _orphans(pictures: Pictures, used: set[str], chosen: Sequence[str] | dict[str, str]) -> list[Issue]:
    """Text files that read as labels and have no image."""
    stems = {Path(path).stem for path in chosen}
    found = []
    for path in map(Path, pictures.others):
        if path.suffix.lower() != ".txt" or str(path) in used or path.stem in stems or path.name in NAME_FILES:
            continue
        lines = _lines(path)
        if lines and _parse(lines[0]):
            detail = "a label file without an image"
            found.append(Issue(kind="orphan_label", subject=pictures.id(str(path)), detail=detail, drops=False))
    return found
