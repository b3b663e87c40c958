"""At which side maps are exported: that of the pictures themselves, where memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autoft.abilities import in_batches
from autoft.contracts import Learner
from autoft.data.headers import image_header
from autoft.records import Sample

MOST: Final = 1024
"""Larger maps are stretched: one of 32 classes takes 128 MiB at this side before it becomes indices."""
PICTURES: Final = 16
"""About how many pictures' maps are computed together."""
HELD: Final = 64
"""The most: those of `MOST` pixels take 64 MiB then."""


def pictures(learner: Learner) -> int:
    """Whose maps are computed together: those of a batch of the learner. Fewer would take it as long on a GPU, where
    it fills them up."""
    return in_batches(learner, PICTURES, HELD)


def side(samples: Sequence[Sample], field: str) -> int:
    """That of the largest of these pictures, up to `MOST`; 0 where none can be read."""
    headers = [image_header(str(sample.fields.get(field, ""))) for sample in samples]
    return min(MOST, max((max(header.upright) for header in headers if header), default=0))
