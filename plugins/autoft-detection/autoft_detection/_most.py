"""How many boxes of one image are kept: as many as the data can have, so that none is cut off unseen."""

from __future__ import annotations

import math

from autoft.api import Dataset, Schema
from autoft_detection import _classes

LEAST = 100
"""As in COCO's metrics: fewer are never kept."""
CEILING = 1000
"""More are kept of no image: boxes of thousands of images are held in memory while they are scored."""
MARGIN = 1.5
"""Times the fullest image of the training part: another one may be fuller, and some boxes are false."""
SPARE = 2
"""Times as many are given out by a network as are kept: some are doubles."""
GIVEN = 300
"""Boxes that a network with its own head gives out at least."""
KEY = "most"
"""Under it a schema keeps the number."""


def largest(dataset: Dataset) -> int:
    """Boxes to be learned and scored of the fullest image that is not in the test part."""
    counts = (len(_classes.scored(sample)) for sample in dataset.samples if sample.split != "test")
    return max(counts, default=0)


def limit(count: int) -> int:
    """For data whose fullest image has `count` boxes."""
    return LEAST if count <= LEAST else min(CEILING, math.ceil(MARGIN * count))


def of(schema: Schema) -> int:
    """What the schema keeps; models of before this was kept have COCO's limit."""
    return int(schema.extra.get(KEY, LEAST))


def warnings(count: int) -> list[str]:
    """In words, where COCO's own limit would not do."""
    if count <= LEAST:
        return []
    said = f"up to {limit(count)} boxes of an image are kept and scored (COCO's metrics stop at {LEAST})"
    beyond = "; what is beyond is not found" if count > CEILING else ""
    return [f"an image has {count} boxes: {said}{beyond}."]
