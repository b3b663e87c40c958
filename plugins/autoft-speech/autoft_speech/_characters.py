"""From transcripts to the characters that a network learns, and back. The rules:

* Unicode NFKC (ligatures, full-width forms and the like become plain letters), then lower case;
* marks of noises such as [laughter], <unk>, {breath} and ++noise++ are left out, see `_noises`;
* the typographic apostrophe becomes ', which stays inside words; dashes and slashes become spaces;
* other punctuation, symbols and control characters are dropped; letters, marks and digits of all scripts stay;
* white space is one space between words, none at the ends.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from autoft_speech import _noises

RULES = "Unicode NFKC, lower case, dashes as spaces, without punctuation and symbols other than ' inside words"
APOSTROPHES = "'\u2019\u02bc\u2018\u0060\u00b4"
BREAKS = "-/\u2010\u2011\u2012\u2013\u2014\u2015"
UNKNOWN = "\ufffd"
"""Stands for every character that no training transcript has. No network can learn it, so it always counts as wrong."""


def normalise(text: str, dropped: Counter[str] | None = None, noises: Counter[str] | None = None) -> str:
    """The transcript by the rules above; what is dropped is counted in `dropped`, marks of noises in `noises`."""
    # An acute accent that stands alone is decomposed by NFKC into a space and a mark: apostrophes come first.
    plain = "".join("'" if letter in APOSTROPHES else letter for letter in text)
    plain = _noises.without(unicodedata.normalize("NFKC", plain).lower(), noises)
    kept = []
    for place, letter in enumerate(plain):
        if letter == "'" and _between_letters(plain, place):
            kept.append(letter)
        elif letter in BREAKS or letter.isspace():
            kept.append(" ")
        elif unicodedata.category(letter)[0] in "LMN":
            kept.append(letter)
        elif dropped is not None:
            dropped[letter] += 1
    return " ".join("".join(kept).split())


def _between_letters(text: str, place: int) -> bool:
    return 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()


def alphabet(texts: Iterable[str]) -> tuple[str, ...]:
    """The characters of normalised transcripts in the order of their code points, and `UNKNOWN`. Class k + 1 is
    character k; class 0 is CTC's blank."""
    return (*sorted({letter for text in texts for letter in text}), UNKNOWN)


def indices(texts: Iterable[str], characters: Sequence[str]) -> list[list[int]]:
    """Classes of normalised transcripts."""
    known = {letter: number for number, letter in enumerate(characters, 1)}  # once: it may hold thousands of signs
    return [[known.get(letter, len(characters)) for letter in text] for text in texts]


def spell(row: Sequence[int], characters: Sequence[str]) -> str:
    """The transcript of a row of classes; what is not above 0 is padding. Spaces stand between words alone, as in
    normalised transcripts: a network may hear one before the first word."""
    return " ".join("".join(characters[number - 1] for number in row if number > 0).split())
