"""Words and their parts as numbers of buckets, for networks that learn a vector for each: no vocabulary is kept, so any
language will do ("hashing trick", Weinberger et al., 2009; subwords as in fastText, Bojanowski et al., 2017).

What is added up can say of two texts what stands in the one and what in the other, but not whether they are alike. So
of several texts, what they share is numbers of its own: the words, and how large a share of each text they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from autoft.contracts import Array
else:
    Array = Any

VERSION = 2
"""Raise it when the same text would give other numbers: networks that learned the old ones would be lost."""
PARTS = (3, 4, 5)
"""Lengths of the pieces of a word that are numbers of their own."""
PIECES = 0.5
"""What a piece counts beside a word that is as rare."""
KNOWN = 200_000
"""Samples whose numbers are remembered."""
LEVELS = 20
"""Of the share of a text that another one has as well; each level that is reached is a number."""
REMEMBERED = 1 << 16
"""Words whose pieces are remembered, about 20 MB: texts have few different words, and those come again and again."""
#: Scripts that are written without spaces: each sign counts as a word, and so do two and three in a row.
_SOLID = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_known: dict[tuple[tuple[str, ...], int, int, str], Array] = {}
_WORDS = re.compile(rf"[{_SOLID}]|[^\W{_SOLID}]+|[^\w\s]+")
_SIGN = re.compile(rf"[{_SOLID}]")


class Hashed(NamedTuple):
    """Numbers from 1 on; 0 is kept free for padding."""

    words: Array
    """int64 (n,): words and runs of them."""
    parts: Array
    """int64 (m,): pieces of words."""


def hashed(texts: Sequence[str], buckets: int, most: int = 0, truncation: str = "end") -> Hashed:
    """The numbers of one sample's texts, which are told apart: the same word means something else in the second one.

    Args:
        most: words of each text that count; 0 takes all.
        truncation: what is left out of longer ones: their end, start or middle.
    """
    words: list[int] = []
    parts = [np.zeros(0, np.int64)]
    found = [_words(text, most, truncation) for text in texts]
    for place, text in enumerate(found):
        words += [_number(f"{place}{term}", buckets) for term in _runs(text)]
        parts += [_piece_numbers(place, word, buckets) for word in text]
    words += [_number(term, buckets) for term in _shared(found)]
    return Hashed(np.array(words, np.int64), np.concatenate(parts))


def shared_terms(texts: Sequence[str], most: int = 0, truncation: str = "end") -> list[str]:
    """What several texts of one sample share, as terms: each word, and how large a share of each text is in the other,
    by words, by runs of words and by pieces. A share is all levels up to it, so that likeness adds up. Empty for one
    text. Other arguments are those of `hashed`."""
    return list(_shared([_words(text, most, truncation) for text in texts]))


def length(text: str) -> int:
    """Words of a text, before any is left out."""
    return len(_WORDS.findall(unicodedata.normalize("NFKC", text)))


def terms(texts: Sequence[str], buckets: int, most: int = 0, truncation: str = "end") -> Array:
    """int32 (k,): the different numbers of one sample, words first; those of pieces are `buckets` higher.

    How often a word stands in a text says little beside that it does. Arguments are those of `hashed`.
    """
    found = hashed(texts, buckets, most, truncation)
    there = np.zeros(2 * buckets, bool)  # quicker than to sort them
    there[found.words] = there[found.parts + buckets] = True
    return np.flatnonzero(there).astype(np.int32)


def known_terms(texts: tuple[str, ...], buckets: int, most: int = 0, truncation: str = "end") -> Array:
    """The same, remembered: each epoch asks for the same texts."""
    key = (texts, buckets, most, truncation)
    if key not in _known:
        if len(_known) >= KNOWN:
            _known.clear()
        _known[key] = terms(texts, buckets, most, truncation)
    return _known[key]


def padded(rows: Sequence[Array], kind: str) -> Array:
    """Rows of numbers as one array of this type (n, longest), padded with 0."""
    found = np.zeros((len(rows), max([1, *map(len, rows)])), kind)
    for number, row in enumerate(rows):
        found[number, : len(row)] = row
    return found


def rarity(rows: Sequence[Array], buckets: int) -> Array:
    """float32 (2 * buckets,): how much a number says, by how many of these samples have it (Jones, 1972).

    log((1 + n) / (1 + having)) + 1, so a number that none has counts most and one that all have counts 1.

    Args:
        rows: what `terms` gave for each of n samples.
    """
    having = np.bincount(np.concatenate([*rows, np.zeros(0, np.int32)]), minlength=2 * buckets)
    return (np.log((1 + len(rows)) / (1 + having)) + 1).astype(np.float32)


def telling(having: Array, every: Array) -> tuple[Array, float]:
    """How much each of n numbers tells classes apart, float64 (n,), and one that no sample has.

    The root mean square, over the classes, of the logarithm of its odds in a class to those outside, as naive Bayes
    takes them, with one added to each count (Wang & Manning, 2012, with one weight for all classes).

    A class of none of the samples, or of all, says nothing. Without another one, all numbers tell as much.

    Args:
        having: samples of each class that have the number, (n, size).
        every: samples that have it, (n,).
    """
    inside, outside = having + 1, every[:, None] - having + 1
    both = (having.sum(0) > 0) & (outside.sum(0) > len(outside))
    if not both.any():
        return np.ones(len(having)), 1.0
    most = np.log(inside.sum(0) / outside.sum(0))[both]
    odds = np.log(inside[:, both] / outside[:, both]) - most
    return np.sqrt((odds**2).mean(1)), float(np.sqrt((most**2).mean()))


def weighed(numbers: Array, rare: Array, buckets: int) -> Array:
    """float32 (k,): how much each of a sample's numbers counts in its sum.

    What the number says, half of it for pieces, of which there are many, brought to length 1: long texts do not shout,
    and short ones are heard.

    Args:
        numbers: what `terms` gave.
        rare: what every number says, such as its `rarity`.
    """
    weights = rare[numbers] * np.where(numbers >= buckets, PIECES, 1)
    scaled: Array = (weights / max(1e-6, float(np.sqrt((weights**2).sum())))).astype(np.float32)
    return scaled


def cut(words: list[str], most: int, truncation: str) -> list[str]:
    """At most `most` of the words."""
    if not most or len(words) <= most:
        return words
    if truncation == "start":
        return words[-most:]
    if truncation == "middle":
        return [*words[: most - most // 2], *words[len(words) - most // 2 :]]
    return words[:most]


def _runs(words: Sequence[str]) -> Iterator[str]:
    """Single words, pairs, and of signs also three in a row."""
    for place, word in enumerate(words):
        yield word
        if place:
            yield f"{words[place - 1]} {word}"
        if place > 1 and _SIGN.match(word):
            yield f"{words[place - 2]} {words[place - 1]} {word}"


def _words(text: str, most: int, truncation: str) -> list[str]:
    return cut(_WORDS.findall(unicodedata.normalize("NFKC", text).lower()), most, truncation)


def _shared(texts: Sequence[list[str]]) -> Iterator[str]:
    """Of each text with the first, and with the one before it: of many, not each with each."""
    if len(texts) < 2:
        return
    kinds = [({*text}, {*_runs(text)}, _piece_set(text)) for text in texts]
    for place, text in enumerate(texts[1:], 1):
        for other in sorted({0, place - 1}):
            if not text or not texts[other]:
                continue  # what is not there is not unlike
            yield from (f"{other}&{place} {word}" for word in sorted(kinds[other][0] & kinds[place][0]))
            for kind, first, second in zip("wrp", kinds[other], kinds[place], strict=True):
                both = len(first & second)
                for whole, name in ((first, other), (second, place)):
                    reached = LEVELS * both // max(1, len(whole))
                    yield from (f"{other}&{place} {kind} {level} of {name}" for level in range(reached + 1))


def _piece_set(words: Sequence[str]) -> set[Any]:
    """Numbers of so many buckets that few pieces have the same; they are remembered, pieces are not."""
    found = [_piece_numbers(0, word, 1 << 24) for word in {*words}]
    return {*np.concatenate([np.zeros(0, np.int64), *found]).tolist()}


@lru_cache(REMEMBERED)
def _piece_numbers(place: int, word: str, buckets: int) -> Array:
    return np.array([_number(f"{place}{piece}", buckets) for piece in _pieces(word)], np.int64)


def _pieces(word: str) -> Iterator[str]:
    if len(word) < PARTS[0] or _SIGN.match(word):
        return
    marked = f"<{word}>"
    for length in PARTS:
        for start in range(len(marked) - length + 1):
            yield marked[start : start + length]


def _number(term: str, buckets: int) -> int:
    return 1 + crc32(term.encode("utf-8", "surrogatepass")) % (buckets - 1)
