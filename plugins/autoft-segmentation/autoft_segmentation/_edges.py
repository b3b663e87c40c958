"""Whether rare colours of masks are mixtures along edges that were smoothed, or classes that are rare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np

from autoft.api import DataError, open_image

Array = np.ndarray[Any, np.dtype[Any]]

MIXED: Final = 0.9
"""Share of the pixels of such colours that must lie between two main colours. Where three areas meet they do
not, and some filters go beyond both."""
NEAR: Final = 24.0
"""How far from the line between two colours a mixture may lie."""
SAME: Final = 8.0
"""How far from a main colour a colour is that one, drawn a little differently: it may fill areas."""
BLOCK: Final = 3
"""Rows and columns of one colour that are a thing: along an edge, colours change from pixel to pixel."""
MOST: Final = 4096
"""Of such colours, the commonest, are looked at."""


def are_smoothed(paths: Sequence[str], main: Sequence[int], others: Counter[int]) -> bool:
    """Whether nearly all of the `others` are mixtures of two `main` colours (0xRRGGBB), and none of them fills an area
    in the masks at these paths."""
    if len(main) < 2 or not others:
        return False
    common = others.most_common(MOST)
    colours, ends = _channels([colour for colour, _ in common]), _channels(main)
    pixels = np.array([number for _, number in common])
    if pixels[_off_lines(colours, ends) <= NEAR].sum() < MIXED * pixels.sum():
        return False
    known = np.linalg.norm(colours[:, None] - ends[None], axis=2).min(1) <= SAME
    strange = np.array([colour for (colour, _), same in zip(common, known, strict=True) if not same], np.int64)
    with ThreadPoolExecutor(4) as pool:
        return not any(pool.map(lambda path: _has_block(path, strange), paths))


def _channels(colours: Sequence[int]) -> Array:
    """Red, green and blue of each, (n, 3)."""
    codes = np.array(colours, np.int64)
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.float64)


def _off_lines(colours: Array, ends: Array) -> Array:
    """How far each colour is from the nearest line between two of the ends, (n,)."""
    nearest = np.full(len(colours), np.inf)
    for place, start in enumerate(ends):
        for end in ends[place + 1 :]:
            way = end - start
            part = np.clip((colours - start) @ way / max(float(way @ way), 1.0), 0, 1)
            nearest = np.minimum(nearest, np.linalg.norm(colours - start - part[:, None] * way, axis=1))
    return nearest


def _has_block(path: str, colours: Array) -> bool:
    """Whether one of the colours fills a block of the mask; a file that cannot be read has none."""
    try:
        picture = np.asarray(open_image(path)).astype(np.int64)
    except DataError:  # whoever decodes it says why
        return False
    codes = picture[..., 0] << 16 | picture[..., 1] << 8 | picture[..., 2]
    height, width = (side - BLOCK + 1 for side in codes.shape)
    if height < 1 or width < 1:
        return False
    first = codes[:height, :width]
    same = np.isin(first, colours)
    for row in range(BLOCK):
        for column in range(BLOCK):
            same &= codes[row : row + height, column : column + width] == first
    return bool(same.any())
