"""Columns of texts that say the answer itself: the title of a wine beside its variety, the salary as it was advertised
beside the salary in numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from autoft.data.columns import USUAL, by_name, last_word
from autoft.data.numbers import is_number

MOST: Final = 0.9
"""Share of the rows whose answer stands in the text, from which on a column gives it away and is not read."""
MANY: Final = 0.5
"""The same, from which on it is pointed out."""
PROSE: Final = frozenset({*USUAL["text"], *("prompt", "question", "description", "abstract", "article", "post")})
"""What columns of texts are called that is the main text, also in a longer name: none is left out unasked."""
PROBE: Final = 1000
"""Rows that are looked at."""
LETTERS: Final = 3
"""Letters that a class must have: shorter ones stand in texts by accident."""
DIGITS: Final = 3
"""Digits that a number must have, for the same reason."""
NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
WORD: Final = re.compile(r"\w+")
FEWEST: Final = 10
"""Rows that show it."""


def is_prose(name: str) -> bool:
    """Whether a column is called as texts usually are: `body`, `review_text`."""
    return bool(by_name([name], "text")) or last_word(name) in PROSE


def share(cells: Sequence[str], answers: Sequence[str]) -> float:
    """Share of the rows whose cell holds their answer: the class in words and no other class, or the number, or two
    numbers with the answer in the middle. 0 where answers are too short to tell, or all are the same."""
    step = max(1, len(answers) // PROBE)
    pairs = [(cell, answer) for cell, answer in zip(cells[::step], answers[::step], strict=True) if cell and answer]
    if len(pairs) < FEWEST or len({answer for _, answer in pairs}) < 2:
        return 0.0
    if all(is_number(answer) for _, answer in pairs):
        return sum(_has_number(cell, answer) for cell, answer in pairs) / len(pairs)
    classes = {_words(answer) for answer in answers if sum(map(str.isalpha, answer)) >= LETTERS} - {()}
    longest = max(map(len, classes), default=0)
    return sum(_named(cell, classes, longest) == {_words(answer)} for cell, answer in pairs) / len(pairs)


def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(text.lower()))


def _named(cell: str, classes: Collection[tuple[str, ...]], longest: int) -> set[tuple[str, ...]]:
    """The classes that stand in a text; of two in one place the longer one: `java` does not stand in `java script`."""
    words, found, place = _words(cell), set(), 0
    while place < len(words):
        lengths = range(min(longest, len(words) - place), 0, -1)
        length = next((n for n in lengths if words[place : place + n] in classes), 0)
        found |= {words[place : place + length]} if length else set()
        place += length or 1
    return found


def _has_number(cell: str, answer: str) -> bool:
    if sum(map(str.isdigit, answer)) < DIGITS:
        return False
    wanted = float(answer.replace(",", "."))
    found = [float(number.replace(",", "")) for number in NUMBER.findall(cell)[:10]]
    return wanted in found or (len(found) == 2 and sum(found) == 2 * wanted)
