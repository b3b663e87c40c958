"""YOLO text files: for each image lines `class cx cy w h`, in fractions of the sides, or `class x1 y1 x2 y2 ...`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from autoft.data.media import is_media, split_word, walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.data.yololabels import Corners, is_label, label_files, label_of, lines, parse
from autoft.data.yoloyaml import description, find_yaml, names_alone
from autoft.datarecords import Issue
from autoft.errors import DataError

PROBED: Final = 200
"""Images that `yolo_sign` looks at before it looks everywhere."""
NAME_FILES: Final = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt")
"""Where tools put the names of the classes, one a line, when there is no data.yaml."""


class YoloThing(NamedTuple):
    """A line of a text file, in fractions of the sides of the upright image."""

    name: str
    """The class; empty where no name is listed for its number."""
    called: str
    """Its number."""
    box: Corners
    """x1, y1, x2, y2; around the polygon, if it is one."""
    ring: tuple[float, ...]
    """The polygon x1, y1, x2, y2, ...; empty for a box."""


class YoloImage(NamedTuple):
    """An image; without a text file, or with an empty one, there is nothing on it."""

    id: str
    """The path below the root."""
    path: str
    split: str
    things: tuple[YoloThing, ...]


class YoloData(NamedTuple):
    """All images of a folder or of a data.yaml."""

    root: Path
    images: tuple[YoloImage, ...]
    sign: str
    """How the data were recognised, for the user."""


def yolo_sign(source: str, polygons: bool = False) -> str:
    """Why `source` is YOLO, or an empty string. Opens a data.yaml and the first label file.

    Args:
        polygons: the first label file must begin with one.
    """
    found = find_yaml(source)
    if not found and not Path(source).is_dir():
        return ""
    label = None if found and not polygons else _first_label(source if not found else str(found.parent))
    if polygons and not (label and (first := parse(lines(label)[0])) and first.ring):
        return ""
    if found:
        return f"YOLO ({found.name} names the classes)"
    return f"YOLO text files ({label.name} has lines `class cx cy w h`)" if label else ""


def read_yolo(source: str, issues: list[Issue]) -> YoloData:
    """The images that data.yaml names, or darknet's lists, or all below the folder. What cannot be used is added to
    `issues`.

    Raises:
        DataError: data.yaml names parts of which none is there, and there are no labels elsewhere.
    """
    parts = description(source, issues)
    root = parts.root if parts else Path(source)
    pictures = Pictures(root)
    names = parts.names if parts else _names(source)
    lists = parts.places if parts else _lists(pictures)
    chosen = _listed(lists, pictures, issues) if lists else {path: pictures.split(path) for path in pictures.paths}
    labels = label_files(sorted(chosen), pictures, NAME_FILES)
    if not labels and parts and not parts.places:
        named = ", ".join(issue.subject for issue in issues[:3])
        raise DataError(
            f"the parts that '{source}' names must exist, but these do not: {named}.",
            "Correct the paths in data.yaml, or take them out: folders called train, valid and test are found.",
        )
    keypoints = bool(parts and parts.keypoints)
    images = []
    for path, split in sorted(chosen.items()):
        name = pictures.id(path)
        things = _things(labels[path], names, name, issues, keypoints) if path in labels else ()
        images.append(YoloImage(name, path, split, things))
    issues += _orphans(pictures, {str(label) for label in labels.values()}, chosen)
    sign = yolo_sign(source) + ("" if names else "; no file names the classes, so their numbers do")
    return YoloData(root, tuple(images), sign)


def _first_label(source: str) -> Path | None:
    """The first label file whose first line reads as one; empty files tell nothing. The usual places come first, then
    any file that is called like an image."""
    seen = 0
    for path in walk(source):
        if not is_media(path, "image"):
            continue
        label = label_of(Path(path))
        seen += 1
        words = lines(label) if label else []
        if label and words:
            return label if parse(words[0]) else None
        if seen >= PROBED:
            break
    pictures = Pictures(source)
    stems = {Path(path).stem for path in pictures.paths}
    return next((path for path in map(Path, pictures.others) if path.stem in stems and is_label(path)), None)


def _things(
    label: Path, names: dict[int, str], image: str, issues: list[Issue], keypoints: bool
) -> tuple[YoloThing, ...]:
    things = []
    for number, line in enumerate(lines(label), 1):
        found = parse(line, keypoints)
        if found is None:
            detail = f"line {number}: '{line[:40]}' is not `class cx cy w h`"
            issues.append(Issue(kind="box_unreadable", subject=image, detail=detail, drops=False))
            continue
        name = names.get(int(found.called), "") if names else found.called
        things.append(YoloThing(name, found.called, found.box, found.ring))
    return tuple(things)


def _names(source: str) -> dict[int, str]:
    """Class number -> name from a file of names, empty if there is none."""
    for path in walk(source):
        if Path(path).name.lower() in NAME_FILES:
            return dict(enumerate(line.strip() for line in lines(Path(path))))
    return names_alone(source)


def _lists(pictures: Pictures) -> list[tuple[str, Path]]:
    """(split, file) of darknet's lists `train.txt` and `valid.txt` or `test.txt`, if there are two or more; their first
    lines name images."""
    found: dict[str, Path] = {}
    for path in map(Path, pictures.others):
        part = split_word(path.stem) if path.suffix == ".txt" else ""
        first = next(iter(lines(path)), "") if part else ""
        if first and is_media(first.strip(), "image") and pictures.named(first.strip(), path.parent):
            found.setdefault(part, path)
    return sorted(found.items()) if len(found) > 1 else []


def _listed(places: Sequence[tuple[str, Path]], pictures: Pictures, issues: list[Issue]) -> dict[str, str]:
    """Image -> split, as data.yaml or darknet's lists say: folders, and lists of images."""
    chosen: dict[str, str] = {}
    for split, place in places:
        if place.is_dir():
            found = [path for path in pictures.paths if Path(path).is_relative_to(place)]
        else:
            found = []
            for line in lines(place):
                path = pictures.named(line.strip(), place.parent, split)
                if path:
                    found.append(path)
                else:
                    issues.append(missing_picture(line.strip(), f"named by {place.name}"))
        for path in found:
            chosen.setdefault(path, split)
    return chosen


def _orphans(pictures: Pictures, used: set[str], chosen: Collection[str]) -> list[Issue]:
    """Text files that read as labels and have no image."""
    stems = {Path(path).stem for path in chosen}
    found = []
    for path in map(Path, pictures.others):
        if path.suffix.lower() != ".txt" or str(path) in used or path.stem in stems or path.name in NAME_FILES:
            continue
        if is_label(path):
            detail = "a label file without an image"
            found.append(Issue(kind="orphan_label", subject=pictures.id(str(path)), detail=detail, drops=False))
    return found
