"""From the shapes of a mask to class indices at the image's own size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from autoft.data import images
from autoft.data.headers import ImageHeader
from autoft.data.polygons import cover
from autoft.data.stated import PictureMeant, picture_meant
from autoft.records import Mask, Shape

if TYPE_CHECKING:
    from autoft.contracts import Array

Rings = tuple[tuple[float, ...], ...]
CORNERS = 6
"""Numbers of a ring with an area."""


def draw(mask: Mask, header: ImageHeader, index: Mapping[str, int], ignored: int) -> tuple[Array, PictureMeant]:
    """int32 (height, width) of the upright picture, and on which picture the shapes were drawn.

    Raises:
        BadSample: runs do not fit any such picture.
    """
    rings = [ring for shape in mask.shapes for ring in shape.polygons if ring]
    furthest = (max((max(ring[::2]) for ring in rings), default=0.0), max((max(r[1::2]) for r in rings), default=0.0))
    place = picture_meant(header, mask.size, furthest)
    canvas = np.full(header.upright[::-1], index.get(mask.background, ignored), np.int32)
    for shape in mask.shapes:
        value = index.get(shape.name, ignored)
        if shape.holes:
            canvas[_pierced(shape, header.upright, place)] = value
            continue
        for ring in _placed(shape.polygons, place):
            cover(ring, header.upright).fill(canvas, value)
        if shape.runs:
            canvas[_unrolled(shape, header, place)] = value
    if place.plain and not place.kind:
        # Runs may say for themselves that they are of another picture.
        own = (picture_meant(header, shape.size) for shape in mask.shapes if shape.runs and shape.size != (0, 0))
        place = next((each for each in own if each.kind), place)
    return canvas, place


def _placed(rings: Rings, place: PictureMeant) -> list[list[float]]:
    """Rings with an area, in pixels of the upright picture."""
    whole = [ring for ring in rings if len(ring) >= CORNERS]
    if place.plain:
        return [list(ring) for ring in whole]
    return [place.points(np.array(ring, np.float64).reshape(-1, 2)).ravel().tolist() for ring in whole]


def _pierced(shape: Shape, size: tuple[int, int], place: PictureMeant) -> Array:
    """Whether pixels are in polygons and in none of their holes."""
    found = np.zeros(size[::-1], bool)
    for rings, inside in ((shape.polygons, True), (shape.holes, False)):
        for ring in _placed(rings, place):
            cover(ring, size).fill(found, inside)
    return found


def _unrolled(shape: Shape, header: ImageHeader, place: PictureMeant) -> Array:
    """Run lengths as a picture: whether pixels are inside.

    Raises:
        BadSample: there are more or fewer pixels than the picture has that they are of.
    """
    if shape.size != (0, 0):
        place = picture_meant(header, shape.size)
    width, height = place.size
    number = sum(shape.runs)
    if number != width * height or width * height > images.MAX_PIXELS:
        raise images.BadSample("mask_size", f"run lengths for {number} pixels, its image has {width * height}")
    if place.kind == "size_swapped":
        said = f"run lengths of {height} x {width} pixels, its image has {width} x {height}"
        raise images.BadSample("mask_size", said)
    flags = np.arange(len(shape.runs)) % 2 * 255
    flat = np.repeat(flags.astype(np.uint8), shape.runs)
    pixels = np.ascontiguousarray(flat.reshape(width, height).T)
    found = Image.fromarray(images.turned(pixels, place.orientation))
    if found.size != place.upright:
        found = found.resize(place.upright, Image.Resampling.NEAREST)
    return np.asarray(found) > 0
