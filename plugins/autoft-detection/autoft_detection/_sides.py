"""At which side images must be seen so that their boxes are more than a cell or two of the maps."""

from __future__ import annotations

import math
import statistics

from autoft.api import Dataset, Schema

USUAL = 256
"""Side of the default recipe."""
STEPS = (USUAL, 384, 512, 640)
CELL = 4
"""Pixels of a cell of the maps, on each side."""
SEEN = 2 * CELL
"""Pixels that a box should have on each side: smaller ones are one peak in a cell, beside which there is no room."""
KEY = "image_size"
"""Under it a schema keeps the side that suits its boxes."""


def typical(dataset: Dataset) -> float:
    """Side of the middle one of all boxes to be learned, in fractions of the image, as squares squash it; 0 for none.
    The test part is not looked at."""
    sides = []
    for sample in dataset.samples:
        width, height = sample.fields.get("size", (0, 0))
        for x1, y1, x2, y2, *rest in sample.fields.get("boxes", ()):
            if len(rest) == 1 and width > 0 < height and sample.split != "test":
                sides.append(math.sqrt((x2 - x1) / width * (y2 - y1) / height))
    return statistics.median(sides) if sides else 0.0


def pictures(dataset: Dataset) -> int:
    """Longer side of the middle one of all images, in pixels: larger ones would be made up."""
    return int(statistics.median(max(sample.fields.get("size", (0,))) for sample in dataset.samples))


def suited(side: float, picture: int) -> int:
    """The smallest step at which half of the boxes have `SEEN` pixels on each side; of those that the images have."""
    there = [step for step in STEPS if step <= max(USUAL, picture)]
    return next((step for step in there if side * step >= SEEN), there[-1]) if side else USUAL


def of(schema: Schema) -> int:
    """What the schema keeps."""
    return int(schema.extra.get(KEY, USUAL))


def warnings(side: float, picture: int) -> list[str]:
    """In words, where half of the boxes are hardly seen at the usual side."""
    if not side or side * USUAL >= SEEN:
        return []
    larger, pixels = suited(side, picture), side * USUAL
    said = (
        f"half of the boxes have under {math.ceil(pixels * 10) / 10:g} pixels on a side where images have {USUAL}, and "
    )
    said += f"cells have {CELL}"
    if larger == USUAL:
        return [f"{said}: larger images would show them."]
    advice = f"image_size={larger} shows them better, at {(larger / USUAL) ** 2:.2g} times the cost"
    return [f"{said}: {advice}{'' if larger * side >= SEEN else '; so would tiles of the images'}."]
