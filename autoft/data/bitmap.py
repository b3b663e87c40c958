"""Bitmaps that lie in JSON as text, as run lengths of the whole picture. They come from a file, so sizes are checked
before anything is unpacked."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autoft.data import images
from autoft.data.drawn import Ring, rectangle

if TYPE_CHECKING:
    from autoft.contracts import Array
else:
    Array = Any

LARGEST: Final = 64 << 20
"""Bytes of a packed picture, and of its text."""
PNG: Final = b"\x89PNG\r\n\x1a\n"


def unpacked(text: str, most: int) -> Array:
    """Which pixels are set, bool (height, width), in base64 of what zlib packed of a PNG.

    Args:
        most: pixels that it may have.

    Raises:
        ValueError: it is none of that, or too large.
    """
    if len(text) > LARGEST:
        raise ValueError("the bitmap is too large")
    packed = zlib.decompressobj()
    try:
        found = packed.decompress(base64.b64decode(text, validate=True), LARGEST)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not packed.eof or not found.startswith(PNG):
        raise ValueError("the bitmap is no PNG, is cut off, or is too large")
    try:
        width, height, _ = images.header(found)
        if width * height > most:
            raise ValueError(f"the bitmap has {width} x {height} pixels, more than its picture")
        facts = images.facts(found)
    except images.BadSample as error:
        raise ValueError(error.detail) from error
    marked = facts.pixels if facts.alpha is None else facts.alpha
    return np.asarray((marked > 0) if marked.ndim == 2 else (marked > 0).any(-1))


def runs(pixels: Array, left: int, top: int, size: tuple[int, int]) -> tuple[int, ...]:
    """Run lengths, column by column: how many pixels are outside, inside, outside, ...

    Args:
        pixels: bool (height, width), of which what lies outside the picture is cut off.
        left, top: where its corner lies in the picture.
        size: width and height of the picture.
    """
    width, height = size
    whole = np.zeros((height, width), bool)
    rows, columns = (
        slice(max(0, start), max(0, start + count)) for start, count in zip((top, left), pixels.shape, strict=True)
    )
    part = whole[rows, columns]
    inner = pixels[max(0, -top) :, max(0, -left) :]
    part[:] = inner[: part.shape[0], : part.shape[1]]
    flat = np.concatenate([[False], whole.T.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return tuple(np.diff(np.concatenate([[0], edges, [width * height]])).tolist())


def around(pixels: Array, left: int, top: int) -> Ring:
    """The box around what is set; empty where nothing is."""
    down, across = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    if not len(down):
        return ()
    x1, y1, x2, y2 = int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1
    return rectangle(left + x1, top + y1, left + x2, top + y2)
