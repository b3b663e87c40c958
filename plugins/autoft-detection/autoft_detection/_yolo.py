"""YOLO text files: for each image the lines `class cx cy w h`, in fractions of the sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoft.api import DataError, Dataset, Issue, Pictures, ReadOptions, is_media, missing_picture, split_word, walk
from autoft_detection._drafts import Draft
from autoft_detection._labels import is_label, label_files, label_of, lines, parse
from autoft_detection._reading import dataset, refuse, wanted
from autoft_detection._yaml import description, find_yaml, names_alone

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
        lists = parts.places if parts else _lists(pictures)
        chosen = _listed(lists, pictures, issues) if lists else _all(pictures)
        labels = label_files(sorted(chosen), pictures, NAME_FILES)
        drafts = []
        for path, split in sorted(chosen.items()):
            draft = Draft(id=pictures.id(path), path=path, split=split, fractions=True)
            if path in labels:
                _read_label(labels[path], names, draft, issues, bool(parts and parts.keypoints))
            drafts.append(draft)
        if not labels and parts and not parts.places:
            named = ", ".join(issue.subject for issue in issues[:3])
            raise DataError(
                f"the parts that '{source}' names must exist, but these do not: {named}.",
                "Correct the paths in data.yaml, or take them out: folders called train, valid and test are found.",
            )
        issues += _orphans(pictures, {str(label) for label in labels.values()}, chosen)
        words = self.sniff(source, options)
        words += "" if names else "; no file names the classes, so their numbers do"
        return dataset(self.name, root, words, drafts, issues, options)


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


def _read_label(label: Path, names: dict[int, str], draft: Draft, issues: list[Issue], keypoints: bool) -> None:
    for number, line in enumerate(lines(label), 1):
        found = parse(line, keypoints)
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


def _all(pictures: Pictures) -> dict[str, str]:
    return {path: pictures.split(path) for path in pictures.paths}


def _orphans(pictures: Pictures, used: set[str], chosen: Sequence[str] | dict[str, str]) -> list[Issue]:
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
