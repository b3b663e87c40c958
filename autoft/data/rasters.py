"""Pictures that are rows of numbers: their shape, how bright they are, and files of them, for readers of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from autoft.data import unpack
from autoft.errors import DataError

if TYPE_CHECKING:
    from autoft.contracts import Array

LEAST: Final = 64
"""Numbers of the smallest picture that is told by their count alone: 8 x 8."""
TOPS: Final = (1, 16, 255, 65535)
"""What white can be: scans of digits that scikit-learn brings along go up to 16."""
PROBE: Final = 64
"""Pictures that are looked at, to see how colours lie."""
DIGITS: Final = 5
"""Of a whole number that is a pixel."""
FORM: Final = "raster 1"
"""Of the files, in their key in the cache."""
SEPARATED: Final = re.compile(r"[\[\](){},;\s]+")


class Shape(NamedTuple):
    """What a row of numbers is."""

    rows: int
    columns: int
    colours: int = 1
    planes: bool = False
    """Colours lie one after the other, as planes, and not pixel by pixel."""

    def said(self) -> str:
        """For the user: `28 x 28`, `32 x 32 in colour, plane by plane`."""
        words = f"{self.rows} x {self.columns}"
        return words + (f" in colour{', plane by plane' if self.planes else ''}" if self.colours > 1 else "")


def square(count: int) -> Shape | None:
    """The picture that so many numbers can be: a square, grey or of three colours; None where they cannot."""
    if count < LEAST:
        return None
    for colours in (1, 3):
        side = isqrt(count // colours)
        if side * side * colours == count:
            return Shape(side, side, colours)
    return None


def numbers(text: str, count: int, between: str = "") -> Array:
    """The numbers in a text, as many as there must be.

    Args:
        between: what separates them; empty for space, commas and brackets.

    Raises:
        ValueError: there are others, or words among them.
    """
    try:
        found = _whole(text.encode("ascii"), count, between)
    except UnicodeEncodeError as error:
        raise ValueError("letters among its numbers") from error
    if found is None:
        cells = text.split(between) if between else SEPARATED.sub(" ", text).split()
        found = np.array(cells, dtype=np.float32)
    if len(found) != count:
        raise ValueError(f"{len(found)} numbers instead of {count}")
    return found


def _whole(data: bytes, count: int, between: str) -> Array | None:
    """Many times quicker than word by word, for whole numbers alone; None for what is none of these."""
    raw = np.frombuffer(data, np.uint8)
    digit = (raw - np.uint8(48)) < 10
    if not len(raw) or not (digit | _allowed(between)[raw]).all():
        return None
    turns = np.flatnonzero(digit[1:] != digit[:-1]) + 1
    edges = np.concatenate([[0] * bool(digit[0]), turns, [len(raw)] * bool(digit[-1])]).astype(np.int64)
    starts, ends = edges[::2], edges[1::2] - 1
    if len(starts) != count or (between and len(raw) - int((ends - starts + 1).sum()) != count - 1):
        return None
    longest = int((ends - starts).max()) + 1
    if longest > DIGITS:
        return None
    found = (raw[ends] - np.uint8(48)).astype(np.int32)
    for place in range(1, longest):
        there = np.flatnonzero(ends - starts >= place)
        found[there] += (raw[ends[there] - place] - np.uint8(48)).astype(np.int32) * 10**place
    return found.astype(np.float32) if found.max() > 255 else found.astype(np.uint8)


@lru_cache(maxsize=8)
def _allowed(between: str) -> Array:
    table = np.zeros(256, np.bool_)
    table[list((between or " ,[]\n\t").encode())] = True
    return table


def top(pieces: Iterable[Array], where: str) -> int:
    """What white is among these pictures.

    Raises:
        DataError: they hold what is no pixel.
    """
    low, high = 0.0, 0.0
    for piece in pieces:
        if piece.size:
            low, high = min(low, float(piece.min())), max(high, float(piece.max()))
        if not np.isfinite([low, high]).all() or low < 0 or high > TOPS[-1]:
            raise DataError(
                f"the pixels in {where} must be numbers from 0 to 255, or from 0 to 1, but there are {low:g} and "
                f"{high:g} among them.",
                "Write the pictures as files, in one folder per class, such as 7/0001.png.",
            )
    return next(white for white in TOPS if high <= white)


def laid(shape: Shape, flat: Sequence[Array]) -> Shape:
    """The shape with the order of colours that makes the smoother pictures: neighbours are alike."""
    if shape.colours == 1 or not len(flat):
        return shape
    some = np.stack([np.asarray(piece, np.float32) for piece in flat[:PROBE]])
    pixels = some.reshape(len(some), shape.rows, shape.columns, 3)
    planes = some.reshape(len(some), 3, shape.rows, shape.columns).transpose(0, 2, 3, 1)
    return shape._replace(planes=_rough(planes) < _rough(pixels))


def _rough(pictures: Array) -> float:
    return float(np.abs(np.diff(pictures, axis=1)).mean() + np.abs(np.diff(pictures, axis=2)).mean())


def files(key: str, shape: Shape, white: int, pictures: Iterable[Array]) -> list[str]:
    """Paths of the pictures as files in the cache, where they are written unless they are there.

    Args:
        key: names what they are from.

    Raises:
        UsageError: the cache cannot be written.
    """
    return unpack.files(unpack.key(FORM, key, *map(str, shape), str(white)), "image", _cells(shape, white, pictures))


def _cells(shape: Shape, white: int, pictures: Iterable[Array]) -> Iterator[Mapping[str, Any]]:
    # Without compression: nothing has to be encoded, and Pillow is not loaded for it.
    kind, suffix = ("P6", ".ppm") if shape.colours > 1 else ("P5", ".pgm")
    head = f"{kind} {shape.columns} {shape.rows} 255\n".encode()
    for picture in pictures:
        if white != 255:
            picture = np.clip(np.asarray(picture, np.float32) * (255 / white), 0, 255)
        if picture.dtype != np.uint8:
            picture = np.rint(picture).astype(np.uint8)
        if shape.planes:
            picture = picture.reshape(shape.colours, shape.rows, shape.columns).transpose(1, 2, 0)
        yield {"bytes": head + np.ascontiguousarray(picture).tobytes(), "path": f"picture{suffix}"}
