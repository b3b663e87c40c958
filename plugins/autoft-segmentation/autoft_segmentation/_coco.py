"""COCO JSON whose annotations have a `segmentation`: polygons, or run lengths."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from autoft.api import (
    CocoFile,
    DataError,
    Dataset,
    Issue,
    Mask,
    ReadOptions,
    Sample,
    Shape,
    coco_files,
    coco_root,
    read_coco,
    to_plain,
)
from autoft_segmentation._folder import wanted
from autoft_segmentation._order import layered
from autoft_segmentation._runs import counts

BACKGROUND = "background"
KEY = "segmentation"


class CocoMaskReader:
    """One file, or a folder with one or several; the images may lie anywhere below the folder."""

    name = "coco-masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is COCO JSON with shapes, or an empty string. Looks at both ends of the JSON files."""
        if not wanted(source, options):
            return ""
        found = next(coco_files(source, KEY), None)
        return f"COCO JSON with shapes ({found.name})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each entry of `images` whose file is there. What no shape covers is background.

        Raises:
            DataError: no file can be read as COCO JSON.
        """
        issues: list[Issue] = []
        files = read_coco(source, list(coco_files(source, KEY)) if wanted(source, options) else [], issues)
        if not files:
            said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
            raise DataError(f"'{source}' must hold COCO JSON with shapes, but it does not{said}.")
        samples = [sample for file in files for sample in _samples(file, issues)]
        shapes = sum(len(sample.fields["mask"]["shapes"]) for sample in samples)
        names = ", ".join(each.file.name for each in files[:3])
        words = f"COCO JSON ({names}): {len(samples)} images, {shapes} shapes; what none covers is background"
        return Dataset(
            samples=tuple(sorted(samples, key=lambda sample: sample.id)),
            reader=self.name,
            root=str(coco_root(source)),
            recognised=words,
            issues=tuple(issues),
        )


def _samples(file: CocoFile, issues: list[Issue]) -> Iterator[Sample]:
    for image in file.images:
        shapes = []
        for entry in image.annotations:
            shape = _shape(entry, file.names)
            if shape is None:
                subject = f"annotation {entry.get('id')} of {file.file.name}"
                issues.append(Issue(kind="shape_unreadable", subject=subject, drops=False))
            else:
                shapes.append(shape)
        mask = to_plain(Mask(background=BACKGROUND, shapes=layered(shapes), size=image.size))
        yield Sample(id=image.id, fields={"image": image.path, "mask": mask}, split=image.split)


def _shape(entry: dict[str, Any], names: dict[Any, str]) -> Shape | None:
    """A shape, or None if it is none; crowds are left out of learning."""
    name = names.get(entry.get("category_id"))
    drawn = entry.get(KEY)
    if name is None or not drawn:
        return None
    if entry.get("iscrowd"):
        name = ""
    try:
        if isinstance(drawn, dict):
            return Shape(name=name, runs=counts(drawn["counts"]), size=_size(drawn.get("size")))
        rings = tuple(tuple(float(value) for value in ring) for ring in drawn)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    whole = all(len(ring) % 2 == 0 and all(map(math.isfinite, ring)) for ring in rings)
    return Shape(name=name, polygons=rings) if whole else None


def _size(stated: Any) -> tuple[int, int]:
    """Width and height of run lengths; zeros where they do not say it.

    Raises:
        TypeError, ValueError: it is no size.
    """
    if not stated:
        return 0, 0
    height, width = stated
    return int(width), int(height)
