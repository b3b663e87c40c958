"""Pascal VOC (Everingham et al., 2010): an XML file for each image, with corners that count pixels from 1."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, read_xml, split_word, walk
from autoft_detection import _voclists
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, learning, refuse, wanted


class VocReader:
    """A folder with XML files and images at any depth below it, and ImageSets/Main where there are lists."""

    name = "voc-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is Pascal VOC, or an empty string. Opens the first XML file that is one."""
        if not learning(source, options) or not Path(source).is_dir():
            return ""
        found = next((file for file in _files(source) if _claims(file)), None)
        return f"Pascal VOC ({found.name} begins with <annotation>)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each XML file that has an image.

        Splits are those of ImageSets/Main beside the XML files, else folders called train, valid, test. Where there are
        lists, images that none of them names are left out. Corners count from 1, unless a file of the data set has a 0
        among them.

        Raises:
            DataError: no XML file is an annotation.
        """
        files = [file for file in _files(source) if _claims(file)] if wanted(source, options) else []
        issues: list[Issue] = []
        trees = [(file, tree) for file in files if (tree := read_xml(file, issues)) is not None]
        if not trees:
            said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
            raise refuse(source, f"XML files of Pascal VOC{said}")
        pictures, lists = Pictures(source), _voclists.find(source)
        if _voclists.none_names(lists, files):
            detail = f"{', '.join(lists.names)} name none of the XML files"
            issues.append(Issue(kind="missing_part", subject="ImageSets", detail=detail, drops=False))
            lists = _voclists.Lists({}, ())
        first = 0 if any(_counts_from_zero(tree) for _, tree in trees) else 1
        drafts = []
        for file, tree in trees:
            split = lists.split(file) if lists.names else pictures.split(str(file))
            if lists.names and not split:
                issues.append(_note("unlisted", file, f"in none of {', '.join(lists.names)}"))
                continue
            path = _picture(file, tree, pictures, split)
            if not path:
                detail = f"no image called {file.stem} or {_text(tree, 'filename') or '?'}"
                issues.append(missing_picture(file.name, detail))
                continue
            drafts.append(_draft(tree, path, split, pictures, first))
        issues += _without({file.stem for file, _ in trees}, drafts, pictures)
        words = f"Pascal VOC ({len(trees)} XML files"
        words += f", parts from {', '.join(lists.names)}" if lists.names else ""
        words += ", corners count from 0)" if not first else ")"
        return dataset(self.name, Path(source), words, drafts, issues, options)


def _files(source: str) -> Iterator[Path]:
    yield from (Path(file) for file in walk(source) if file.lower().endswith(".xml"))


def _claims(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return re.search(rb"<annotation[\s>]", opened.read(2048)) is not None  # CVAT's begin with <annotations>
    except OSError:  # it cannot be read, so it cannot be recognised
        return False


def _picture(file: Path, tree: Element, pictures: Pictures, split: str) -> str:
    """By the name of the XML file, which is VOC's rule; `filename` is often wrong once files were renamed."""
    part = split or split_word(file.parent.name)
    return pictures.stemmed(file.stem, file.parent, part) or pictures.named(_text(tree, "filename"), file.parent, part)


def _draft(tree: Element, path: str, split: str, pictures: Pictures, first: int) -> Draft:
    size = (int(_number(tree, "size/width", 0)), int(_number(tree, "size/height", 0)))
    draft = Draft(id=pictures.id(path), path=path, split=split or pictures.split(path), size=size)
    for thing in tree.findall("object"):
        x1, y1, x2, y2 = (_number(thing, f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax"))
        if (x1 > x2 and y1 != y2) or (y1 > y2 and x1 != x2):
            draft.turned.append(f"{x1:.6g}, {y1:.6g}, {x2:.6g}, {y2:.6g}")
            x1, y1, x2, y2 = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
        # A pixel counted from 1 spans [n - 1, n]; without the test a box of no area would become one of one pixel.
        if x2 > x1 and y2 > y1:
            x1, y1 = x1 - first, y1 - first
        name = _text(thing, "name")
        draft.add((x1, y1, x2, y2), name, "difficult" * (_text(thing, "difficult") == "1"), called=name)
    return draft


def _counts_from_zero(tree: Element) -> bool:
    return any(_number(thing, f"bndbox/{key}") == 0 for thing in tree.findall("object") for key in ("xmin", "ymin"))


def _without(stems: set[str], drafts: list[Draft], pictures: Pictures) -> list[Issue]:
    used = {draft.path for draft in drafts}
    return [
        Issue(kind="no_annotation", subject=pictures.id(path), detail="no XML file; not used", drops=False)
        for path in pictures.paths
        if path not in used and Path(path).stem not in stems
    ]


def _note(kind: str, file: Path, detail: str) -> Issue:
    return Issue(kind=kind, subject=file.name, detail=detail, drops=False)


def _text(tree: Element, path: str) -> str:
    return (tree.findtext(path) or "").strip()


def _number(tree: Any, path: str, absent: float = math.nan) -> float:
    try:
        found = float(_text(tree, path))
    except ValueError:
        return absent
    return found if math.isfinite(found) else absent
