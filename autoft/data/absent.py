"""What stands in place of a label that nobody told: a dash among words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

DASH: Final = "-"
MOST: Final = 0.05
"""Share of the rows that it may have: what comes more often is a class, such as `none`."""


def is_dash(cells: Sequence[str]) -> bool:
    """Whether a dash is no label in a column: it is rare, and the classes are words, as where those who annotated SNLI
    did not agree. Beside `+` it is a class."""
    count = cells.count(DASH)
    others = {cell for cell in cells if cell} - {DASH}
    words = all(any(letter.isalpha() for letter in cell) for cell in others)
    return 0 < count <= MOST * len(cells) and len(others) > 1 and words
