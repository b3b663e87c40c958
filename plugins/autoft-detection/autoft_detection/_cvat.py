"""CVAT's own XML ("CVAT for images"): one file with all images and the boxes and polygons on each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, part_word
from autoft_detection._drafts import Draft
from autoft_detection._reading import claimed, dataset, learning, refuse, wanted
from autoft_detection._voc import parse

PEEK = 1 << 16
Corners = tuple[float, float, float, float]


class CvatReader:
    """A folder with annotations.xml, under whatever name, and the images at any depth."""

    name = "cvat-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is CVAT's, or an empty string. Looks at the beginning of the XML files."""
        found = next(_files(source), None) if learning(source, options) else None
        return f"CVAT ({found.name} begins with <annotations>)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each `<image>` whose file is there; one without shapes has no boxes.

        The part is CVAT's subset, else the word in the name of a folder. Points and lines have no box.

        Raises:
            DataError: no file is one of CVAT's.
        """
        issues: list[Issue] = []
        files = list(_files(source)) if wanted(source, options) else []
        trees = [tree for file in files if (tree := parse(file, issues)) is not None]
        if not trees:
            said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
            raise refuse(source, f"XML of CVAT{said}")
        path = Path(source).absolute()
        pictures = Pictures(path if path.is_dir() else path.parent)
        drafts = [draft for tree in trees for image in tree.iter("image") if (draft := _draft(image, pictures, issues))]
        words = f"CVAT ({', '.join(file.name for file in files)})"
        return dataset(self.name, pictures.root, words, drafts, issues, options)


def _files(source: str) -> Iterator[Path]:
    return claimed(source, ".xml", PEEK, _claims)


def _claims(head: bytes) -> bool:
    return b"<annotations>" in head and (b"<image " in head or b"<meta>" in head)


def _draft(image: Element, pictures: Pictures, issues: list[Issue]) -> Draft | None:
    name, part = image.get("name", ""), part_word(image.get("subset", ""))
    path = pictures.named(name, pictures.root, part)
    if not path:
        issues.append(missing_picture(name or f"image {image.get('id')}"))
        return None
    size = (int(image.get("width") or 0), int(image.get("height") or 0))
    draft = Draft(pictures.id(path), path, part or pictures.split(path), size)
    for shape in image:
        box = _box(shape)
        if box:
            draft.add(box, shape.get("label", ""), called=shape.get("label", ""))
    return draft


def _box(shape: Element) -> Corners | None:
    """The corners of a box, or of the box around a polygon; None for other shapes."""
    try:
        if shape.tag == "box":
            x1, y1, x2, y2 = (float(shape.get(key, "nan")) for key in ("xtl", "ytl", "xbr", "ybr"))
            return x1, y1, x2, y2
        if shape.tag == "polygon":
            points = [tuple(map(float, point.split(","))) for point in shape.get("points", "").split(";")]
            across, down = [point[0] for point in points], [point[1] for point in points]
            return min(across), min(down), max(across), max(down)
    except (ValueError, IndexError):
        return (math.nan,) * 4
    return None
