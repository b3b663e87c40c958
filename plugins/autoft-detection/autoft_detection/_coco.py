"""COCO JSON whose annotations have a `bbox`: x, y, width, height."""

from __future__ import annotations

from typing import Any

from autoft.api import CocoFile, CocoImage, Dataset, Issue, ReadOptions, coco_files, coco_root, read_coco
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, refuse, wanted

Corners = tuple[float, float, float, float]


class CocoReader:
    """One file, or a folder with one or several at any depth; the images may lie anywhere below the folder."""

    name = "coco-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is COCO JSON, or an empty string. Looks at both ends of the JSON files."""
        if not wanted(source, options):
            return ""
        found = next(coco_files(source), None)
        return f"COCO JSON ({found.name} lists images, annotations and categories)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each entry of `images` whose file is there; how files and splits are found: `read_coco`.

        Raises:
            DataError: no file can be read as COCO JSON.
        """
        issues: list[Issue] = []
        files = read_coco(source, list(coco_files(source)) if wanted(source, options) else [], issues)
        if not files:
            said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
            raise refuse(source, f"COCO JSON with the lists images, annotations and categories{said}")
        drafts = [_draft(image, file) for file in files for image in file.images]
        words = f"COCO JSON ({', '.join(each.file.name for each in files)})"
        return dataset(self.name, coco_root(source), words, drafts, issues, options)


def _draft(image: CocoImage, file: CocoFile) -> Draft:
    draft = Draft(id=image.id, path=image.path, split=image.split, size=image.size)
    for entry in image.annotations:
        called = entry.get("category_id")
        flag = "crowd" * bool(entry.get("iscrowd"))
        box = _corners(entry.get("bbox")) if entry.get("bbox") else _around(entry.get("segmentation"))
        draft.add(box, file.names.get(called, ""), flag, str(called))
    return draft


def _corners(box: Any) -> Corners:
    """x, y, width, height as corners; not finite where the entry is no box."""
    try:
        x, y, width, height = (float(side) for side in box)
    except (TypeError, ValueError, OverflowError):
        return (float("nan"),) * 4
    return x, y, x + width, y + height


def _around(rings: Any) -> Corners:
    """The box around polygons, for annotations that have no box of their own."""
    try:
        values = [[float(side) for side in ring] for ring in rings]
        across, down = [x for ring in values for x in ring[::2]], [y for ring in values for y in ring[1::2]]
        return min(across), min(down), max(across), max(down)
    except (TypeError, ValueError, OverflowError):
        return (float("nan"),) * 4
