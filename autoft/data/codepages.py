"""Which encoding a text is in that has no mark and is not UTF-8: the one whose letters are those of a language.

Each candidate is judged by how likely the characters are that it makes of the bytes, in the best of its languages
(`alphabets`), and by how they follow each other: a capital seldom stands behind a small letter, and letters beyond
ASCII stand alone in Latin scripts, in rows in others, and none beside digits. Bytes that are ASCII say nothing. Signs
such as a curly apostrophe or £ come again and again where a text has them: where they stand as signs do, it is the
kinds of signs that count against an encoding, and hardly how many there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from math import log
from typing import Final

from autoft.data import alphabets
from autoft.data.alphabets import LATIN, MARK, MARKS, OTHER, PLACED, SIGNS, WHOLE, WRONG, Alphabet

#: Family of languages -> its encodings, the usual ones first: what comes first wins where two do equally well.
ENCODINGS: Final = {
    "western": ("cp1252", "iso8859_15", "mac_roman", "cp850"),
    "central": ("cp1250", "iso8859_2", "cp852"),
    "cyrillic": ("cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic"),
    "turkish": ("cp1254",),
    "greek": ("cp1253", "iso8859_7"),
    "hebrew": ("cp1255", "iso8859_8"),
    "arabic": ("cp1256", "iso8859_6"),
    "baltic": ("cp1257",),
    "thai": ("cp874",),
    "vietnamese": ("cp1258",),
    "simplified": ("gb18030",),
    "traditional": ("cp950", "big5hkscs"),
    "japanese": ("cp932", "euc_jp"),
    "korean": ("euc_kr", "cp949"),
}
NAMES: Final = {
    "cp950": "big5", "cp932": "shift_jis", "euc_jp": "euc-jp", "euc_kr": "euc-kr", "koi8_r": "koi8-r",
    "koi8_u": "koi8-u", "iso8859_2": "iso-8859-2", "iso8859_5": "iso-8859-5", "iso8859_6": "iso-8859-6",
    "iso8859_7": "iso-8859-7", "iso8859_8": "iso-8859-8", "iso8859_15": "iso-8859-15",
}  # fmt: skip
"""What users call them; others are called so by everyone."""
MOST: Final = 16_000
"""Bytes that are looked at, from all over the text."""
FOLLOWED: Final = {LATIN: (log(0.08), log(0.95)), WHOLE: (log(0.97), log(0.02)), SIGNS: (0.0, log(0.3))}
"""For a letter beyond ASCII beside another one, and beside one of ASCII."""
INSIDE: Final = log(0.003)
"""For a capital behind a small letter."""
CAPITALS: Final = log(0.3 / alphabets.UPPER)
"""For a capital behind another one: words of capitals are not so seldom as their letters are alone."""
RARE: Final = {
    "cp1252": 0.0, "cp1250": 3.5, "iso8859_2": 5.0, "iso8859_5": 5.0, "cp1257": 0.5, "cp1254": 1.5, "cp1251": 1.5,
    "cp1258": 6.0, "cp850": 8.0, "cp852": 6.0, "cp866": 4.0, "mac_roman": 8.0, "mac_cyrillic": 8.0,
}  # fmt: skip
"""What counts against encodings that are seldom seen, in the same unit: it decides where there are a few letters."""
OTHERS: Final = 3.0
"""The same for those that are not named there."""
AGAIN: Final = 0.5
"""How likely a sign is where the text has it elsewhere, as a share of how often that is."""
DIGIT: Final = log(0.05)
"""For a letter beyond ASCII beside a digit."""
KNOWN: Final = 20.0
"""What counts for the encoding that other files of the same data are in: e to this power."""


def guess(raw: bytes, likely: str = "") -> str:
    """The name of the encoding, as Python knows it.

    Args:
        likely: that of other files of the same data; it takes more than a few letters to be in another.
    """
    probe = sample([raw])
    found = {
        encoding: score(probe, encoding, family) - RARE.get(encoding, OTHERS)
        for family, those in ENCODINGS.items()
        for encoding in those
    }
    if likely in found:
        found[likely] += KNOWN
    return max(found, key=lambda encoding: found[encoding])


def sample(raws: Iterable[bytes]) -> bytes:
    """The lines of these texts that say something, as many as are looked at, from all over them."""
    lines = [line for raw in raws for line in raw.split(b"\n") if not line.isascii()]
    step = max(1, -(-sum(map(len, lines)) // MOST))
    probe = b"\n".join(lines[::step])
    return probe[: 2 * MOST]


def score(probe: bytes, encoding: str, family: str) -> float:
    """The logarithm of how likely the text is in this encoding, in the best of the languages that are written in it."""
    text = probe.decode(encoding, "replace")
    counts = Counter(text)
    beyond = {character: count for character, count in counts.items() if character > "\x7f"}
    kinds = text.translate({ord(character): _kind(character) for character in counts})
    if family in alphabets.LEVELS:
        own = alphabets.signs(family)
        return sum(count * _sign(c, family, own) for c, count in beyond.items()) + _follows(kinds, own.kind)
    those = alphabets.of(family)
    placed = Counter(_PLACED.findall(text) if not _MARKS.isdisjoint(beyond) else ())
    rest = {c: count - placed[c] for c, count in beyond.items()}
    best = max(sum(count * _letter(c, one) for c, count in rest.items()) for one in those)
    return best + _signs(placed, sum(rest.values())) + _follows(kinds, those[0].kind)


def _signs(placed: Counter[str], rest: int) -> float:
    """The same for signs that stand where signs do, beside so many other characters: a text that has one of them
    once may have it in each line, so the first is unlikely, and the others about as likely as the text itself says."""
    signs, kinds = sum(placed.values()), len(placed)
    whole = max(1, signs + rest)
    return kinds * log(MARK) + _times(signs - kinds, AGAIN * signs / whole) + _times(rest, rest / whole)


def _times(count: int, share: float) -> float:
    return count * log(share) if count else 0.0


def _letter(character: str, alphabet: Alphabet) -> float:
    known = alphabet.logs.get(character)
    if known is not None:
        return known
    return _UNKNOWN if character != "\ufffd" and character.isprintable() else _WRONG


def _sign(character: str, family: str, own: Alphabet) -> float:
    if character == "\ufffd":
        return _WRONG
    known = own.logs.get(character)
    return alphabets.share(character, family) if known is None else known


@lru_cache(1 << 14)
def _kind(character: str) -> str:
    """A letter of ASCII, small or not: a, A; beyond it: b, B; a digit: 1; anything else: a space."""
    if character in "0123456789":
        return "1"
    if character in PLACED or not (
        character.isalpha() or (character > "\x7f" and not character.isspace() and _is_mark(character))
    ):
        return " "
    kind = "a" if character <= "\x7f" else "b"
    return kind.upper() if character.isupper() else kind


def _is_mark(character: str) -> bool:
    """A sign that stands on or under letters."""
    return unicodedata.category(character).startswith("M")


def _follows(kinds: str, script: str) -> float:
    alone = kinds.lower()
    letters = alone.count("b")
    rows = letters - sum(1 for run in alone.replace("a", " ").replace("1", " ").split(" ") if run)
    mixed = alone.count("ab") + alone.count("ba")
    row, beside = FOLLOWED[script]
    found = rows * row + mixed * beside
    if script == SIGNS:
        return found
    capitals = kinds.count("B") - len(_CAPITALS.findall(kinds))
    found += (alone.count("1b") + alone.count("b1")) * DIGIT
    return found + (kinds.count("bB") + kinds.count("aB")) * INSIDE + capitals * CAPITALS


_CAPITALS: Final = re.compile("B+")
_BEFORE, _AFTER, _TWO = r"(?<![^\x00-@\[-`{-\x7f])", r"(?![^\x00-@\[-`{-\x7f])", "[A-Za-z]{2}"
"""What stands there is neither a letter nor beyond ASCII, or is nothing; two letters of ASCII."""
_MARKS: Final = frozenset(MARKS + PLACED)
_PLACED: Final = re.compile(
    f"(?=[{MARKS}{PLACED}])(?:"
    f"{_BEFORE}[{MARKS}]|[{MARKS}]{_AFTER}"  # at the edge of a word, or alone
    rf"|(?<={_TWO})[–—…·](?={_TWO})"  # between words
    rf"|’(?=(?:s|t|m|d|re|ll|ve)\b)|(?<=n)´(?=t\b)|´(?=s\b)|(?<=\b[A-Za-z])’|(?<=\b{_TWO})’"  # don’t, l’eau
    rf"|[²³½¼¾ºª¢]{_AFTER}|{_BEFORE}[±×÷¶]{_AFTER}|(?<=[\d\s])µ(?=[A-Za-z\d]{{0,3}}\b))"  # 2½, 5 m², ±3, 4 µm
)
_UNKNOWN, _WRONG = log(OTHER), log(WRONG)
