"""Whether the numbers in masks count the things of each picture, instead of telling classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoft.api import survey_pieces

FEWEST = 5
"""Masks below which their numbers tell nothing."""
KINDS = 3
"""Different counts of things that there must be: organ and tumour have two."""
GAPLESS = 0.95
"""Share of the masks whose numbers must be 0 to k without a gap."""
WHOLE = 0.9
"""Share of a thing's pixels that must be connected."""
MOSTLY = 0.8
"""Share of the things of which that must be so."""
APART = 0.5
"""Share of the borders that may lie between two things: classes lie side by side or in each other."""
LOOKED_AT = 30
"""Masks whose pieces are looked at."""


def count(values: Iterable[int]) -> int:
    """How many things these values of a mask would be: k for 0 to k, -1 where some are missing."""
    found = sorted(values)
    return found[-1] if found == list(range(len(found))) else -1


def are_things(paths: Sequence[str], counts: Sequence[int]) -> bool:
    """Whether each mask has the numbers 0 to k, k differs, and each number is mostly one piece on the background.

    Args:
        counts: of each mask as `count` gives it.
    """
    whole = [number for number in counts if number >= 0]
    if len(counts) < FEWEST or len(whole) < GAPLESS * len(counts) or len({*whole} - {0}) < KINDS:
        return False
    several = [path for path, number in zip(paths, counts, strict=True) if number > 1]
    pieces = touching = border = seen = 0
    for path in several[:: max(1, -(-len(several) // LOOKED_AT))]:
        for piece in survey_pieces(path).values():
            seen += 1
            pieces += piece.largest >= WHOLE * piece.pixels
            touching += piece.touching
            border += piece.border
    return seen > 0 and pieces >= MOSTLY * seen and touching < APART * border
