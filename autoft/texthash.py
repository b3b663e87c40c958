"""Words and their parts as numbers of buckets, for networks that learn a vector for each: no vocabulary is kept, so any
language will do ("hashing trick", Weinberger et al., 2009; subwords as in fastText, Bojanowski et al., 2017).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from autoft.contracts import Array
else:
    Array = Any

VERSION = 1
"""Raise it when the same text would give other numbers: networks that learned the old ones would be lost."""
PARTS = (3, 4, 5)
"""Lengths of the pieces of a word that are numbers of their own."""
PIECES = 0.5
"""What a piece counts beside a word that is as rare."""
#: Scripts that are written without spaces: each sign counts as a word, and so do two and three in a row.
_SOLID = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
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
    parts: list[int] = []
    for place, text in enumerate(texts):
        found = cut(_WORDS.findall(unicodedata.normalize("NFKC", text).lower()), most, truncation)
        words += [_number(f"{place}{term}", buckets) for term in _runs(found)]
        parts += [_number(f"{place}{piece}", buckets) for piece in _pieces(found)]
    return Hashed(np.array(words, np.int64), np.array(parts, np.int64))


def terms(texts: Sequence[str], buckets: int, most: int = 0, truncation: str = "end") -> Array:
    """int32 (k,): the different numbers of one sample, words first; those of pieces are `buckets` higher.

    How often a word stands in a text says little beside that it does. Arguments are those of `hashed`.
    """
    found = hashed(texts, buckets, most, truncation)
    return np.concatenate([np.unique(found.words), np.unique(found.parts) + buckets]).astype(np.int32)


def rarity(rows: Sequence[Array], buckets: int) -> Array:
    """float32 (2 * buckets,): how much a number says, by how many of these samples have it (Jones, 1972).

    log((1 + n) / (1 + having)) + 1, so a number that none has counts most and one that all have counts 1.

    Args:
        rows: what `terms` gave for each of n samples.
    """
    having = np.bincount(np.concatenate([*rows, np.zeros(0, np.int32)]), minlength=2 * buckets)
    return (np.log((1 + len(rows)) / (1 + having)) + 1).astype(np.float32)


def weighed(numbers: Array, rare: Array, buckets: int) -> Array:
    """float32 (k,): how much each of a sample's numbers counts in its sum.

    Rarity, half of it for pieces, of which there are many, brought to length 1: long texts do not shout, and short
    ones are heard.

    Args:
        numbers: what `terms` gave.
        rare: of every number, as `rarity` gives them.
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


def _pieces(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if len(word) < PARTS[0] or _SIGN.match(word):
            continue
        marked = f"<{word}>"
        for length in PARTS:
            for start in range(len(marked) - length + 1):
                yield marked[start : start + length]


def _number(term: str, buckets: int) -> int:
    return 1 + crc32(term.encode("utf-8", "surrogatepass")) % (buckets - 1)
