"""Classes that are drawn somewhere, and of which the store holds no pixel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from autoft.data.forms import MASK, Form, Masks
from autoft.errors import DataError
from autoft.records import Issue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoft.contracts import Array
    from autoft.data.masks import Labels

ROWS: Final = 64
"""Masks that are looked at together: most classes are in the first."""


def without(wanted: Iterable[Form], arrays: Mapping[str, Array]) -> list[Issue]:
    """An issue for each class that shapes are drawn of, but no pixel of the store has.

    Raises:
        DataError: none of them has one: the shapes are not where the pictures are.
    """
    found = []
    for form in wanted:
        if isinstance(form, Masks) and MASK in arrays:
            found += _without(form.labels, arrays[MASK])
    return found


def _without(labels: Labels, pixels: Array) -> list[Issue]:
    drawn = {shape.name for mask in labels.masks for shape in mask.shapes if shape.name}
    index = {name: place for place, name in enumerate(labels.classes) if name in drawn}
    left = dict(index)
    for start in range(0, len(pixels), ROWS):
        if not left:
            break
        part = np.asarray(pixels[start : start + ROWS])
        left = {name: place for name, place in left.items() if not (part == place).any()}
    if left and len(left) == len(index):
        raise DataError(
            f"shapes must cover pixels of their images, but none of the {len(labels.masks)} images has a pixel of "
            f"{', '.join(list(left)[:3])}.",
            "Are the corners in pixels of these very files, or were the images made smaller without saying so?",
        )
    detail = f"at {pixels.shape[1]} x {pixels.shape[2]}"
    return [Issue(kind="no_pixels", subject=name, detail=detail, drops=False) for name in left]
