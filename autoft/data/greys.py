"""Pictures of more than 8 bits: which of their grey values become black and white."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

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
MOST: Final = 0.9
"""Part of the pictures that must have the same usual range for it to be that of all, and that must lose nothing."""
FEW: Final = 0.05
"""Part of the pictures that may be darker or brighter than all others."""
LEAST: Final = 16
"""Greys below which a picture has nearly one."""
WHOLE: Final = 255
MISSING: Final = -9999
"""By convention (elevation, weather) there is no value where this stands."""
NOTHING: Final = 3e38
"""So is it with the greatest and the smallest number of 32 bits, and near them."""


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
    nearly all of them, or differs among them; else None. One that is unlike the others, as it is overexposed, has no
    say, and pictures that the usual range of each shows well keep it.

    Args:
        pictures: grey values of some, and whether their files hold 16 bits at most.
    """
    looks = [found for values, sixteen in pictures if (found := _look(values, sixteen)) is not None]
    if not looks or len({found.fractions for found in looks}) > 1:
        return None
    usual, agreeing = Counter(found.usual for found in looks).most_common(1)[0]
    only = usual if agreeing >= MOST * len(looks) else None
    low = float(np.quantile([found.low for found in looks], FEW, method="nearest"))
    high = float(np.quantile([found.high for found in looks], 1 - FEW, method="nearest"))
    if high <= low or (only and _shown(low, high, only) >= FEWEST):
        return None
    wider = MARGIN * (high - low)
    ends = (max(0.0, low - wider) if low >= 0 else low - wider), high + wider
    return None if sum(found.loses(ends) for found in looks) > (1 - MOST) * len(looks) else ends


class _Look(NamedTuple):
    """What a picture has."""

    low: float
    high: float
    usual: Ends | None
    fractions: bool

    def loses(self, ends: Ends) -> bool:
        """Whether it is nearly of one grey with these ends, and was not without them."""
        shown = _shown(self.low, self.high, ends)
        without = _shown(self.low, self.high, self.usual) if self.usual else WHOLE * (self.high > self.low)
        return shown < min(LEAST, without)


def _look(values: Array, sixteen: bool) -> _Look | None:
    """Of a picture, if it has values other than those for none."""
    fractions = values.dtype.kind == "f"
    real = values[np.isfinite(values) & (np.abs(values) < NOTHING)] if fractions else values
    real = real if values.dtype.kind == "u" else real[real != MISSING]
    if not real.size:
        return None
    low, high = (float(end) for end in np.quantile(real, (TAIL, 1 - TAIL)))
    whole = sixteen or values.dtype.kind == "u"
    return _Look(low, high, (0.0, float(WHITE)) if whole else _usual(low, high, fractions), fractions)


def _shown(low: float, high: float, ends: Ends) -> float:
    """How many of the 256 greys lie between the two values."""
    return WHOLE * (high - low) / max(ends[1] - ends[0], 1e-12)
