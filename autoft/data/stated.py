"""Which picture annotations mean, where they state its size: the one as stored, the upright one, or a copy of another
size. The same rules for boxes and for masks.

| the size stated | what is meant | issue |
|---|---|---|
| none, or that of the upright picture | the upright picture, as viewers and labelling tools show it | |
| that of the picture as it is stored, before its EXIF rotation | the stored picture | `boxes_turned` |
| width and height swapped, though all that is drawn lies within | the upright picture | `size_swapped` |
| another | a copy of the upright picture in that size | `boxes_scaled` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from autoft.data.headers import ImageHeader

if TYPE_CHECKING:
    from autoft.contracts import Array

MARGIN: Final = 1.0
"""Pixels by which something may reach outside without a word: rounding, and conventions that differ by one."""


class PictureMeant(NamedTuple):
    """The picture that annotations mean, and how it lies to the upright one."""

    size: tuple[int, int]
    """Width and height."""
    upright: tuple[int, int]
    orientation: int = 1
    """Of EXIF: by which it must be turned to stand upright."""
    kind: str = ""
    """A word of `Issue.kind`, where something is to be said of it; else empty."""
    detail: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is the upright picture itself."""
        return self.orientation == 1 and self.size == self.upright

    def points(self, points: Array) -> Array:
        """Where points (n, 2), x and y in its pixels, are in the upright picture."""
        if self.plain:
            return points
        (width, height), (x, y) = self.size, points.T
        across, down = {
            1: (x, y),
            2: (width - x, y),
            3: (width - x, height - y),
            4: (x, height - y),
            5: (y, x),
            6: (height - y, x),
            7: (height - y, width - x),
            8: (y, width - x),
        }[self.orientation]
        wide, high = (height, width) if self.orientation >= 5 else (width, height)
        return np.stack([across, down], 1) * (self.upright[0] / wide, self.upright[1] / high)


def picture_meant(
    header: ImageHeader, stated: tuple[int, int], furthest: tuple[float, float] = (0.0, 0.0)
) -> PictureMeant:
    """What annotations of a picture mean.

    Args:
        stated: width and height that they state; zeros where they do not.
        furthest: the largest x and y of what is drawn.
    """
    stored, upright = (header.width, header.height), header.upright
    if stated == stored != upright:
        detail = "annotated as stored, turned upright by its EXIF data"
        return PictureMeant(stated, upright, header.orientation, "boxes_turned", detail)
    inside = all(far <= side + MARGIN for far, side in zip(furthest, upright, strict=True))
    if stated == upright[::-1] != upright and inside:
        return PictureMeant(upright, upright, 1, "size_swapped", f"said to be {stated[0]} x {stated[1]}")
    if min(stated) > 0 and stated != upright:
        detail = f"annotated at {stated[0]} x {stated[1]}, but is {upright[0]} x {upright[1]}"
        return PictureMeant(stated, upright, 1, "boxes_scaled", detail)
    return PictureMeant(upright, upright)
