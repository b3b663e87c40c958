"""Pictures of more than 8 bits: which of their grey values become black and white."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from autoft.contracts import Array

Ends = tuple[float, float]
"""Grey values of black and of white."""

FEWEST: Final = 64
"""Of the 256 greys that pictures must have where the usual range of their type is taken. With fewer they are nearly
black: a camera of 12 bits leaves 16."""
TAIL: Final = 0.0005
"""Part of a picture's pixels that may be darker or brighter than all others: dead and hot ones."""
MARGIN: Final = 0.1
"""By which the range found is widened on both sides, for pictures that were not looked at."""


def eight_bits(values: Array, sixteen: bool, ends: Ends | None = None) -> Array:
    """Grey values of 16 bits, of 32 bits or real ones, as uint8.

    16 bits are divided by 257, so that 0 and 65535 become 0 and 255. Real values within [0, 1] are taken
    as fractions. Whatever fits no usual range is stretched from its minimum to its maximum.

    Args:
        sixteen: the file holds 16 bits at most, whatever type its values have.
        ends: what becomes black and white in place of all that, as `ends_of` found it.
    """
    whole = values.dtype.kind == "u" or (sixteen and values.size and values.max() <= WHITE)
    if whole and ends is None:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    real = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = (float(real.min()), float(real.max())) if real.size else (0.0, 0.0)
    black, white = ends or _usual(low, high, values.dtype.kind == "f") or (low, high)
    return np.rint(np.clip((real - black) / max(white - black, 1e-12), 0, 1) * 255).astype(np.uint8)


WHITE: Final = 65535


def _usual(low: float, high: float, fractions: bool) -> Ends | None:
    """The range that values of 32 bits are commonly written in, or None."""
    if low < 0 or high > WHITE:
        return None
    if fractions and high <= 1:
        return 0.0, 1.0
    return 0.0, 255.0 if high <= 255 else float(WHITE)


def ends_of(pictures: Iterable[tuple[Array, bool]]) -> Ends | None:
    """What becomes black and white in all pictures alike, where the usual range of their type shows hardly anything of
    them, or differs from one to the next; else None.

    Args:
        pictures: grey values of some, and whether their files hold 16 bits at most.
    """
    ranges, usual = [], set()
    for values, sixteen in pictures:
        real = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if not real.size:
            continue
        low, high = (float(end) for end in np.quantile(real, (TAIL, 1 - TAIL)))
        ranges.append((low, high))
        whole = sixteen or values.dtype.kind == "u"
        usual.add((0.0, float(WHITE)) if whole else _usual(low, high, values.dtype.kind == "f"))
    if not ranges:
        return None
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    only = next(iter(usual)) if len(usual) == 1 else None
    if high <= low or (only and (high - low) * 255 >= FEWEST * (only[1] - only[0])):
        return None
    wider = MARGIN * (high - low)
    return (max(0.0, low - wider) if low >= 0 else low - wider), high + wider
