"""What is painted with Label Studio's brush: four bytes for each pixel, packed by run lengths of its own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autoft.data import bitmap
from autoft.data.drawn import Ring

MOST: Final = 1 << 28
"""Pixels of a picture."""
CHANNELS: Final = 4


class _Bits:
    """Numbers of some bits each, the highest bit first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, count: int) -> int:
        """Raises ValueError at the end."""
        first, last = self._place >> 3, (self._place + count + 7) >> 3
        if last > len(self._data):
            raise ValueError("the run lengths end too early")
        self._place += count
        window = int.from_bytes(self._data[first:last], "big")
        return window >> (last * 8 - self._place) & ((1 << count) - 1)


def read(numbers: Any, size: tuple[int, int]) -> tuple[Ring, tuple[int, ...]]:
    """The ring around what is painted, and the run lengths of the whole picture; both empty where nothing is.

    The packed form: 32 bits for the number of bytes, 5 for the bits of a value less 1, 4 times 4 for the bits of a
    length less 1. Then blocks: a bit that is set where one value comes again and again, 2 that tell which of the four
    lengths it has, the length less 1, and one value or as many as the length says.

    Args:
        numbers: bytes, as a list.
        size: width and height of the picture.

    Raises:
        ValueError, TypeError: they are no such thing, or not of a picture of this size.
    """
    width, height = size
    bits = _Bits(bytes(numbers))
    total = bits.take(32)
    if not 0 < width * height <= MOST or total != width * height * CHANNELS:
        raise ValueError(f"{total} bytes are not those of {width} x {height} pixels")
    word = bits.take(5) + 1
    lengths = [bits.take(4) + 1 for _ in range(4)]
    found, place = np.zeros(total, np.uint8), 0
    while place < total:
        again = bits.take(1)
        end = min(total, place + 1 + bits.take(lengths[bits.take(2)]))
        if again:
            found[place:end] = bits.take(word) & 255
        else:
            found[place:end] = [bits.take(word) & 255 for _ in range(end - place)]
        place = end
    pixels = found.reshape(height, width, CHANNELS)[..., -1] > 0
    ring = bitmap.around(pixels, 0, 0)
    return ring, bitmap.runs(pixels, 0, 0, size) if ring else ()
