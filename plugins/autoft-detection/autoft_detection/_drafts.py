"""From what an annotation file says to a sample: one place for the rules by which boxes are kept, mended or left out.

| a box | what happens | issue |
|---|---|---|
| with a corner that is no finite number | left out | `box_not_finite` |
| without area, or of negative sides | left out | `box_empty` |
| of VOC, whose corners are the wrong way round | read from the smaller to the larger | `box_corners_swapped` |
| wholly outside its picture | left out | `box_outside` |
| reaching outside by more than a pixel | clipped | `box_clipped` |
| of a class that the data do not list | left out | `box_unknown_class` |

Annotations of a picture that EXIF turns are taken to mean the upright one, as viewers and labelling tools show it,
unless they state the size of the picture as it is stored. Annotations that state another size than the picture has
are scaled to it; where width and height are only swapped, and the boxes lie within the picture, they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoft.api import ImageHeader, Issue, Sample, image_header, picture_meant

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 1.0
"""Pixels by which a box may reach outside without a word: rounding, and conventions that differ by one."""


@dataclass
class Draft:
    """A picture with its boxes as a file gives them."""

    id: str
    path: str
    split: str = ""
    size: tuple[int, int] = (0, 0)
    """Width and height that the annotations state; zeros where they do not."""
    fractions: bool = False
    """Corners are fractions of the sides instead of pixels."""
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    """x1, y1, x2, y2; pixels count from 0."""
    names: list[str] = field(default_factory=list)
    """Class of each box; empty where it is unknown."""
    flags: list[str] = field(default_factory=list)
    """For each box why it is not to be scored (crowd, difficult), or an empty string."""
    unknown: list[str] = field(default_factory=list)
    """What the file calls the classes that are unknown."""
    turned: list[str] = field(default_factory=list)
    """Boxes that were drawn from another corner than the upper left one, as the file gives them."""

    def add(self, box: tuple[float, float, float, float], name: str, flag: str = "", called: str = "") -> None:
        self.boxes.append(box)
        self.names.append(name)
        self.flags.append(flag)
        if not name:
            self.unknown.append(called)


def finish(drafts: Iterable[Draft]) -> tuple[tuple[Sample, ...], list[Issue]]:
    """A sample for each draft, by id, and what was wrong with its boxes. Reads the header of every picture."""
    ordered = sorted(_distinct(drafts), key=lambda draft: draft.id)
    with ThreadPoolExecutor() as pool:
        headers = list(pool.map(lambda draft: image_header(draft.path), ordered))
    issues: list[Issue] = []
    samples = [_sample(draft, header, issues) for draft, header in zip(ordered, headers, strict=True)]
    return tuple(samples), issues


def _distinct(drafts: Iterable[Draft]) -> Iterable[Draft]:
    """Two files may annotate one picture: its later samples get a number."""
    taken: set[str] = set()
    for draft in drafts:
        name, number = draft.id, 1
        while draft.id in taken:
            number += 1
            draft.id = f"{name} #{number}"
        taken.add(draft.id)
        yield draft


def _sample(draft: Draft, header: ImageHeader | None, issues: list[Issue]) -> Sample:
    width, height = header.upright if header else draft.size
    corners = np.array(draft.boxes, np.float64).reshape(-1, 4)
    if header:
        corners = _upright(draft, corners, header, issues)
    rows = []
    for box, name, flag in zip(corners, draft.names, draft.flags, strict=True):
        kept = _usable(draft, box, name, (width, height), issues)
        if kept is not None:
            rows.append([*(round(float(side), 3) for side in kept), name] + ([flag] if flag else []))
    for called in draft.unknown:
        issues.append(_about("box_unknown_class", draft, f"'{called}' is not among the classes"))
    for shown in draft.turned:
        issues.append(_about("box_corners_swapped", draft, shown))
    fields = {"image": draft.path, "boxes": rows, "size": [width, height]}
    return Sample(id=draft.id, fields=fields, split=draft.split)


def _upright(draft: Draft, corners: Array, header: ImageHeader, issues: list[Issue]) -> Array:
    """Corners in pixels of the upright picture."""
    if draft.fractions:
        return corners * np.tile(header.upright, 2)
    far = corners[:, 2:].max(0, initial=0.0)
    place = picture_meant(header, draft.size, (float(far[0]), float(far[1])))
    if place.kind:
        issues.append(_about(place.kind, draft, place.detail))
    if place.plain:
        return corners
    ends = np.stack([place.points(corners[:, :2]), place.points(corners[:, 2:])])
    return np.concatenate([ends.min(0), ends.max(0)], axis=1) if place.orientation > 1 else np.concatenate([*ends], 1)


def _usable(draft: Draft, box: Array, name: str, size: tuple[int, int], issues: list[Issue]) -> Array | None:
    """The box within its picture, or None if it cannot be used."""
    shown = ", ".join(f"{side:.6g}" for side in box)
    if not np.isfinite(box).all():
        issues.append(_about("box_not_finite", draft, shown))
        return None
    if not name:
        return None
    if box[2] <= box[0] or box[3] <= box[1]:
        issues.append(_about("box_empty", draft, f"{name} at {shown}"))
        return None
    if min(size) <= 0:
        return box
    inside = np.clip(box, 0, np.tile(size, 2))
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        issues.append(_about("box_outside", draft, f"{name} at {shown}, picture {size[0]} x {size[1]}"))
        return None
    if np.abs(inside - box).max() > MARGIN:
        issues.append(_about("box_clipped", draft, f"{name} at {shown}, picture {size[0]} x {size[1]}"))
    return inside


def _about(kind: str, draft: Draft, detail: str) -> Issue:
    return Issue(kind=kind, subject=draft.id, detail=detail, drops=False)
