"""Which picture annotations mean, and where their masks end up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.data import images, masks, pixels
from autoft.data.forms import Masks
from autoft.data.headers import ImageHeader
from autoft.data.stated import picture_meant
from autoft.errors import DataError
from autoft.records import Decoding, Mask, Shape

CLASSES = ("background", "cat", "dog")
RING = (20.0, 10.0, 36.0, 10.0, 36.0, 18.0, 20.0, 18.0)
"""In a picture of 40 x 20, the right half from the middle on, nearly to the ends."""


def picture(folder: Path, size: tuple[int, int], orientation: int = 1) -> str:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(folder / "a.jpg", exif=exif)
    return str(folder / "a.jpg")


def read(mask: Mask, image: str, size: int) -> masks.Decoded:
    return masks.decode(0, masks.Labels((mask,), CLASSES), size, image)


def runs(mask: Any) -> tuple[int, ...]:
    """COCO's run lengths of a picture of 0 and 1 that begins with 0."""
    flat = np.asarray(mask).T.ravel()
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
    return tuple(np.diff(edges).tolist())


def cat(**fields: Any) -> Mask:
    return Mask(background="background", shapes=(Shape(name="cat", polygons=(RING,)),), **fields)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_what_pillow_does(orientation: int) -> None:
    whole = Image.new("RGB", (30, 20))
    whole.paste((255, 255, 255), (3, 5, 10, 7))
    turned = whole.transpose(images._TURNS[orientation]) if orientation > 1 else whole
    place = picture_meant(ImageHeader(30, 20, orientation), (30, 20))
    place = place._replace(orientation=orientation)
    found = place.points(np.array([[3, 5], [10, 7]]))
    assert (*found.min(0), *found.max(0)) == turned.getbbox()


@pytest.mark.parametrize(
    ("orientation", "stated", "furthest", "kind"),
    [
        (1, (0, 0), (9, 9), ""),
        (1, (40, 20), (9, 9), ""),
        (1, (400, 200), (390, 190), "boxes_scaled"),
        (1, (20, 40), (39, 19), "size_swapped"),
        (1, (20, 40), (19, 39), "boxes_scaled"),
        (3, (40, 20), (9, 9), ""),
        (6, (40, 20), (39, 19), "boxes_turned"),
        (6, (20, 40), (9, 9), ""),
        (6, (10, 20), (9, 9), "boxes_scaled"),
    ],
)
def test_what_is_meant(orientation: int, stated: Any, furthest: Any, kind: str) -> None:
    assert picture_meant(ImageHeader(40, 20, orientation), stated, furthest).kind == kind


def test_shapes_follow_a_picture_that_was_made_smaller(tmp_path: Path) -> None:
    shape = Shape(name="cat", polygons=(tuple(4 * side for side in RING),))
    image = picture(tmp_path, (40, 20))
    found = read(Mask(background="background", shapes=(shape,), size=(160, 80)), image, 40)
    assert (found.kind, found.remark) == ("boxes_scaled", "annotated at 160 x 80, but is 40 x 20")
    assert (found.pixels == read(cat(), image, 40).pixels).all() and (found.pixels == 1).any()


def test_holes_are_moved_too(tmp_path: Path) -> None:
    hole = (4.0, 4.0, 36.0, 4.0, 36.0, 16.0, 4.0, 16.0)
    ring = (0.0, 0.0, 40.0, 0.0, 40.0, 20.0, 0.0, 20.0)
    shape = Shape(name="cat", polygons=(ring,), holes=(hole,))
    found = read(Mask(background="background", shapes=(shape,), size=(40, 20)), picture(tmp_path, (20, 10)), 20).pixels
    assert found[10, 10] == 0 and found[0, 0] == found[19, 0] == 1


def test_shapes_on_the_stored_picture_are_turned(tmp_path: Path) -> None:
    image = picture(tmp_path, (40, 20), 6)  # upright it is 20 wide and 40 high
    found = read(cat(size=(40, 20)), image, 40)
    assert found.kind == "boxes_turned"
    assert found.pixels[25, 8] == 1 and found.pixels[10, 8] == 0 and found.pixels[25, 30] == 0
    assert abs((found.pixels == 1).mean() - 16 * 8 / 800) < 0.04


@pytest.mark.parametrize("own", [False, True])
def test_runs_are_of_the_picture_that_they_state(tmp_path: Path, own: bool) -> None:
    marked = np.zeros((20, 40), np.uint8)
    marked[10:18, 20:36] = 1
    size = (40, 20)
    shape = Shape(name="cat", runs=runs(marked), size=size if own else (0, 0))
    mask = Mask(background="background", shapes=(shape,), size=(0, 0) if own else size)
    small = read(mask, picture(tmp_path, (20, 10)), 20)
    assert small.kind == "boxes_scaled" and (small.pixels == 1).mean() == (marked == 1).mean()
    turned = read(mask, picture(tmp_path, (40, 20), 6), 40)
    assert turned.kind == "boxes_turned" and (turned.pixels == 1).mean() == (marked == 1).mean()
    assert turned.pixels[25, 8] == 1 and turned.pixels[10, 8] == 0
    with pytest.raises(images.BadSample, match="mask_size"):
        read(mask, picture(tmp_path, (20, 40)), 20)


def test_a_drawn_class_without_a_pixel_is_told_or_refused(tmp_path: Path) -> None:
    outside = Shape(name="dog", polygons=((90, 90, 99, 90, 99, 99),))
    both = Mask(background="background", shapes=(*cat().shapes, outside))
    none = Mask(background="background", shapes=(outside,))
    image = picture(tmp_path, (40, 20))

    def without(mask: Mask) -> list[str]:
        form = Masks(masks.Labels((mask,), CLASSES), Decoding(size=20))
        stored = {"mask": np.stack([read(mask, image, 20).pixels])}
        return [issue.subject for issue in pixels.without([form], stored)]

    assert without(both) == ["dog"] and without(cat()) == []
    with pytest.raises(DataError, match="none of the 1 images has a pixel of dog"):
        without(none)
