"""What the pixels of mask files are, for readers that find out what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autoft.data import images

if TYPE_CHECKING:
    from autoft.contracts import Array


class Survey(NamedTuple):
    """What the pixels of one mask file are, for readers."""

    colours: bool
    """Values are 0xRRGGBB; else they are grey values or palette indices."""
    values: dict[int, int]
    """Value -> pixels."""
    palette: dict[int, int]
    """Of a file with a palette: index -> 0xRRGGBB, for the values that occur."""
    lossy: bool
    """Of a format in which pixels come back a little changed."""
    alpha: dict[int, int] = {}
    """Value of the alpha channel -> pixels; empty without one."""


def survey(path: str) -> Survey:
    """The values in a mask file. RGB files whose channels are alike count as grey.

    Raises:
        BadSample: as `images.decode`.
    """
    found = images.facts(path)
    pixels = found.pixels
    alpha = {} if found.alpha is None else _counted(*np.unique(found.alpha, return_counts=True))
    if pixels.ndim == 3:
        codes = pixels.astype(np.int64) @ np.array([65536, 256, 1])
        grey = bool((pixels == pixels[..., :1]).all())
        codes = pixels[..., 0] if grey else codes
        present, counts = np.unique(codes, return_counts=True)
        return Survey(not grey, _counted(present, counts), {}, found.lossy, alpha)
    present, counts = np.unique(pixels, return_counts=True)
    table = {int(v): found.palette[int(v)] for v in present if int(v) < len(found.palette)} if found.palette else {}
    return Survey(False, _counted(present, counts), table, found.lossy, alpha)


def _counted(present: Array, counts: Array) -> dict[int, int]:
    return {int(value): int(count) for value, count in zip(present, counts, strict=True)}
