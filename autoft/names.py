"""Names in the order in which people count them, and lists of them in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LISTED = 5
"""How many names a message lists before it says how many more there are."""


def natural(names: Iterable[str]) -> list[str]:
    """Sorted so that 2 comes before 10; names that differ in case alone keep one order everywhere."""
    return sorted(names, key=lambda name: (_pieces(name.casefold()), name))


def _pieces(name: str) -> list[tuple[int, int, str]]:
    """Runs of digits compare by value (length, then digits), the rest letter by letter."""
    digits = [(part.lstrip("0"), part) for part in re.findall(r"[0-9]+|[^0-9]+", name)]
    return [(0, len(bare), bare) if part[0] in "0123456789" else (1, 0, part) for bare, part in digits]


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - LISTED
    return ", ".join(f"'{name}'" for name in names[:LISTED]) + (f" and {more} more" if more > 0 else "")
