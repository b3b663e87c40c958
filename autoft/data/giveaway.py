"""Columns of texts that say the answer itself: the title of a wine beside its variety, the salary as it was advertised
beside the salary in numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Final

from autoft.data.numbers import is_number

MOST: Final = 0.5
"""Share of the rows whose answer stands in the text, from which on a column gives it away."""
PROBE: Final = 1000
"""Rows that are looked at."""
LETTERS: Final = 3
"""Letters that a class must have: shorter ones stand in texts by accident."""
DIGITS: Final = 3
"""Digits that a number must have, for the same reason."""
NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
FEWEST: Final = 10
"""Rows that show it."""


def share(cells: Sequence[str], answers: Sequence[str]) -> float:
    """Share of the rows whose cell holds their answer: the class in words, or the number or the middle of two. 0 where
    answers are too short to tell, or all are the same."""
    step = max(1, len(answers) // PROBE)
    pairs = [(cell, answer) for cell, answer in zip(cells[::step], answers[::step], strict=True) if cell and answer]
    if len(pairs) < FEWEST or len({answer for _, answer in pairs}) < 2:
        return 0.0
    if all(is_number(answer) for _, answer in pairs):
        return sum(_has_number(cell, answer) for cell, answer in pairs) / len(pairs)
    return sum(_has_words(cell, answer) for cell, answer in pairs) / len(pairs)


def _has_words(cell: str, answer: str) -> bool:
    if sum(map(str.isalpha, answer)) < LETTERS:
        return False
    return re.search(rf"(?<!\w){re.escape(answer.lower())}(?!\w)", cell.lower()) is not None


def _has_number(cell: str, answer: str) -> bool:
    if sum(map(str.isdigit, answer)) < DIGITS:
        return False
    wanted = float(answer.replace(",", "."))
    found = [float(number.replace(",", "")) for number in NUMBER.findall(cell)[:10]]
    return wanted in found or any(one + other == 2 * wanted for one, other in combinations(found, 2))
