"""What a user is told of the transcripts: which characters are learned, dropped, too rare, or cannot be learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autoft.api import Sample
from autoft_speech import _characters, _noises
from autoft_speech._words import has_signs

RARE = 5
"""Characters that training transcripts have fewer times are named: a network sees them too seldom to learn them."""
SHOWN = 20
"""Characters that a sentence names at most."""


def sentences(
    samples: Sequence[Sample], texts: Mapping[str, str], characters: Sequence[str], dropped: Counter[str]
) -> list[str]:
    """All that is to be said of normalised transcripts.

    Args:
        samples: in the order of their ids.
        texts: by id.
        characters: that are learned.
        dropped: how often each character was left out.
    """
    found = [*_told(characters, dropped), *_solid(texts), *_rare(samples, texts), *_unknown(samples, texts, characters)]
    return [*found, *_silent(texts)]


def noises(left_out: Counter[str], said: Iterable[str]) -> Iterator[str]:
    """What is to be said of marks of noises.

    Args:
        left_out: how often each was.
        said: the transcripts as they are.
    """
    if left_out:
        yield f"marks of noises are left out of transcripts: {_shown(left_out)}."
    kept = Counter(mark for text in said for mark in _noises.kept(text))
    if kept:
        yield f"these are learned as words, though they look like noises: {_shown(kept)}."


def _told(characters: Sequence[str], dropped: Counter[str]) -> Iterator[str]:
    letters = "".join(characters[:-1]).replace(" ", "")
    words = f"transcripts are learned as {len(letters)} characters and the space ({_characters.RULES})"
    if dropped:
        words += f"; dropped: {_shown(dropped)}"
    yield f"{words}."


def _solid(texts: Mapping[str, str]) -> Iterator[str]:
    count = sum(map(has_signs, texts.values()))
    if count:
        yield (
            f"{count} transcripts have signs of scripts that are written without spaces: each such sign counts as a "
            "word in the word error rate."
        )


def _rare(samples: Sequence[Sample], texts: Mapping[str, str]) -> Iterator[str]:
    """Characters that training transcripts have too few times, and where the first one stands."""
    trained = [sample.id for sample in samples if sample.split in ("", "train")]
    counts = Counter(letter for name in trained for letter in texts[name])
    rare = Counter({letter: count for letter, count in counts.items() if count < RARE and letter != " "})
    if rare:
        first = next(name for name in trained if not rare.keys().isdisjoint(texts[name]))
        is_are = "1 character is" if len(rare) == 1 else f"{len(rare)} characters are"
        yield (
            f"{is_are} too rare to learn, in training transcripts fewer than {RARE} times, the first in '{first}': "
            f"{_shown(rare)}."
        )


def _unknown(samples: Sequence[Sample], texts: Mapping[str, str], characters: Sequence[str]) -> Iterator[str]:
    """Characters that cannot be learned, and where the first one stands."""
    counts: Counter[str] = Counter()
    first, known = "", frozenset(characters)
    for sample in samples:
        strange = [letter for letter in texts[sample.id] if letter not in known]
        counts.update(strange)
        first = first or (sample.id if strange else "")
    if counts:
        yield (
            f"validation and test transcripts have {len(counts)} characters that no training transcript has, the "
            f"first in '{first}': {_shown(counts)}. They count as errors."
        )


def _silent(texts: Mapping[str, str]) -> Iterator[str]:
    empty = [name for name, text in texts.items() if not text]
    if empty:
        yield f"{len(empty)} transcripts are empty, the first that of '{empty[0]}': nothing is said there, it is taken."


def _shown(counts: Counter[str]) -> str:
    names = [f"{letter} ({count})" for letter, count in counts.most_common(SHOWN)]
    return " ".join(names) + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
