"""At which side maps are exported: that of the pictures themselves, where memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autoft.data.headers import image_header
from autoft.records import Sample

MOST: Final = 1024
"""Larger maps are stretched: one of 32 classes takes 128 MiB at this side before it becomes indices."""
PICTURES: Final = 16
"""Whose maps of this side are held at a time."""


def side(samples: Sequence[Sample], field: str) -> int:
    """That of the largest of these pictures, up to `MOST`; 0 where none can be read."""
    headers = [image_header(str(sample.fields.get(field, ""))) for sample in samples]
    return min(MOST, max((max(header.upright) for header in headers if header), default=0))
