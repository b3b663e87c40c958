"""A language model of characters: n-grams of the training transcripts, interpolated as Witten and Bell (1991) do.

The chance of a character is that after the characters before it, mixed with that after one of these less, and so on.
What has often been followed by something new gives more weight to the shorter context. A space stands before and behind
each transcript, so an end is the end of a word, and nothing is learned of how transcripts begin: they often begin alike
where they were made for a training, and otherwise nowhere.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

ORDER = 4
"""Characters of the longest n-gram."""
READ = 1_000_000
"""Characters that are counted at most, of transcripts spread over all."""
SIZE = 400_000
"""Characters that the packed counts may take: they stand in the configuration of each model."""


def learned(texts: Sequence[str]) -> dict[str, Any]:
    """Counts of n-grams, as few strings: for each order the n-grams one after another, and their counts."""
    counts = [Counter[str]() for _ in range(ORDER)]
    step = max(1, math.ceil(sum(map(len, texts)) / READ))
    for text in sorted(texts)[::step]:
        padded = f" {text} "
        for order, found in enumerate(counts, 1):
            found.update(padded[place : place + order] for place in range(len(padded) - order + 1))
    return packed([dict(sorted(found.items())) for found in counts])


def packed(counts: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """The counts as strings, without what follows contexts that are too seldom where it would take more than `SIZE`.

    A context goes as a whole: were single n-grams left out, what is seldom would seem to be impossible.
    """
    kept, least = [dict(found) for found in counts], 1
    while _size(kept) > SIZE and any(kept[1:]):
        least = max(least + 1, least * 5 // 4)
        for number in range(len(kept) - 1, 0, -1):
            kept[number] = _without_seldom(kept[number], least)
            if _size(kept) <= SIZE:
                break
    return {
        "grams": ["".join(found) for found in kept],
        "counts": [" ".join(map(str, found.values())) for found in kept],
    }


def _without_seldom(grams: Mapping[str, int], least: int) -> dict[str, int]:
    contexts = Counter[str]()
    for gram, count in grams.items():
        contexts[gram[:-1]] += count
    return {gram: count for gram, count in grams.items() if contexts[gram[:-1]] >= least}


def _size(counts: Sequence[Mapping[str, int]]) -> int:
    return sum(len(gram) + len(str(count)) + 1 for found in counts for gram, count in found.items())


class Model:
    """Says how likely a text is."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.counts: dict[str, int] = {}
        self.follow: dict[str, tuple[int, int]] = {}
        """Context -> how often it was followed by something, and by how many things."""
        for order, (grams, counts) in enumerate(zip(told["grams"], told["counts"], strict=True), 1):
            for place, count in enumerate(map(int, counts.split())):
                gram = grams[place * order : (place + 1) * order]
                self.counts[gram] = count
                often, things = self.follow.get(gram[:-1], (0, 0))
                self.follow[gram[:-1]] = (often + count, things + 1)
        self.order = len(told["grams"])
        self._known: dict[str, float] = {}

    def log(self, text: str) -> float:
        """The natural logarithm of the chance of this text, its end included."""
        padded = f" {text} "
        total = 0.0
        for end in range(2, len(padded) + 1):
            gram = padded[max(0, end - self.order) : end]
            value = self._known.get(gram)
            if value is None:
                value = self._known[gram] = math.log(self.chance(gram))
            total += value
        return total

    def chance(self, gram: str) -> float:
        """Of the last character after those before it."""
        found = 1 / (self.follow.get("", (0, 0))[1] + 1)  # one stands for all that was never seen
        for start in range(len(gram) - 1, -1, -1):
            often, things = self.follow.get(gram[start:-1], (0, 0))
            if not things:
                break  # a longer context was never followed either
            found = (self.counts.get(gram[start:], 0) + things * found) / (often + things)
        return found
