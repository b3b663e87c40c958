"""What stands in place of a label that nobody told: a dash among words, and words for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from autoft.data.numbers import is_number

DASH: Final = "-"
NOTHING: Final = frozenset({"nan", "NaN", "-nan", "<NA>", "NaT", "#N/A", "#NA", "<na>"})
"""What programs write into cells that nobody filled: never a class."""
NONE: Final = frozenset({"NA", "N/A", "n/a", "na", "None", "NONE", "none", "NULL", "Null", "null", "NAN"})
"""The same, or a class that people call so."""
WORDS: Final = NOTHING | NONE | {DASH}
"""All that may stand for nothing."""
MOST: Final = 0.05
"""Share of the rows that such a word may have: what comes more often is a class, such as `none`."""
AMONG_NUMBERS: Final = 0.2
"""The same where all other classes are numbers, of which such a word is not one."""


class Missing(NamedTuple):
    """Words of a column of classes that could stand for nothing."""

    words: frozenset[str] = frozenset()
    """They do: they are no labels."""
    classes: frozenset[str] = frozenset()
    """They do not."""

    def said(self, cells: Sequence[str]) -> str:
        """What was made of them in these cells, for the user."""
        counts = Counter(cells)
        none = [f", '{word}' is no label ({_rows(counts[word])})" for word in sorted(self.words) if counts[word]]
        kept = [f", '{word}' is a class ({_rows(counts[word])})" for word in sorted(self.classes) if counts[word]]
        return "".join(none + kept)


def missing(cells: Sequence[str], known: Collection[str] = ()) -> Missing:
    """What is no label in a column of classes, told by all of its cells.

    What programs write is none. A dash or another word is none where it is rare and at least two classes are left;
    a dash only among words, as where those who annotated SNLI did not agree: beside `+` it is a class. Where all other
    classes are numbers, a word for nothing may come more often before it is one of them.

    Args:
        known: the classes, where other data told them: then these decide, however rare a word is here.
    """
    counts = Counter(cell for cell in cells if cell)
    able = [word for word in counts if word in WORDS]
    if known:
        return Missing(frozenset(able).difference(known), NONE.intersection(able, known))
    others = [cell for cell in counts if cell not in able]
    if not able or len(others) < 2:
        return Missing()
    most = AMONG_NUMBERS if all(map(is_number, others)) else MOST
    words = all(any(letter.isalpha() for letter in cell) for cell in others)
    found = {word for word in able if word in NOTHING or (word in NONE and counts[word] <= most * len(cells))}
    found |= {DASH} if words and 0 < counts[DASH] <= MOST * len(cells) else set()
    return Missing(frozenset(found), NONE.intersection(able) - found)


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
