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
from functools import lru_cache
from typing import Any

import numpy as np

from autoft_speech._search import Table

ORDER = 4
"""Characters of the longest n-gram."""
READ = 300_000
"""Characters that are counted at most, of transcripts spread over all."""
SIZE = 400_000
"""Characters that the packed counts may take: they stand in the configuration of each model."""
CELLS = 4_000_000
"""Contexts times characters at most: a search has all chances at hand."""


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
    """The counts as strings, without what follows contexts that are too seldom where it would take too much room.

    A context goes as a whole: were single n-grams left out, what is seldom would seem to be impossible.
    """
    totals, sizes = Counter[str](), Counter[str]()
    for found in counts:
        for gram, count in found.items():
            totals[gram[:-1]] += count
            sizes[gram[:-1]] += len(gram) + len(str(count)) + 1
    least, room, most = 1, SIZE, CELLS // max(1, len(counts[0]))
    for number, (context, total) in enumerate(totals.most_common(), 1):
        room -= sizes[context]
        if room < 0 or number > most:
            least = total + 1
            break
    # What a context ends with is at least as often, and so is kept with it; that of no character is never left out.
    kept = [{gram: n for gram, n in found.items() if totals[gram[:-1]] >= least or len(gram) == 1} for found in counts]
    return {
        "grams": ["".join(found) for found in kept],
        "counts": [" ".join(map(str, found.values())) for found in kept],
    }


def table(told: Mapping[str, Any], characters: Sequence[str]) -> Table:
    """The chances of all characters after all contexts, for a search. Class k + 1 is character k."""
    return _table(tuple(told["grams"]), tuple(told["counts"]), tuple(characters))


@lru_cache(maxsize=2)
def _table(grams: tuple[str, ...], counts: tuple[str, ...], characters: tuple[str, ...]) -> Table:
    known: dict[str, int] = {}
    for order, (row, numbers) in enumerate(zip(grams, counts, strict=True), 1):
        places = range(0, len(row), order)
        known |= zip((row[place : place + order] for place in places), map(int, numbers.split()), strict=True)
    contexts = sorted({"", *(gram[:-1] for gram in known)}, key=lambda context: (len(context), context))
    states = {context: state for state, context in enumerate(contexts)}
    classes = {letter: number for number, letter in enumerate(characters, 1)}
    space = classes.setdefault(" ", len(characters) + 1)
    shape = len(contexts), len(classes) + 1
    follow, often = np.zeros(shape, np.int32), np.zeros(shape)
    for gram, count in known.items():
        state, letter = states[gram[:-1]], classes[gram[-1]]
        often[state, letter] = count
        follow[state, letter] = states.get(gram, 0)
    total, things = often.sum(1), (often > 0).sum(1)
    chance = np.full(shape, 1 / (things[0] + 1))  # one stands for all that was never seen
    for context, state in states.items():
        if context:  # what it does not know is as behind the context that is one shorter
            shorter = states[context[1:]]
            chance[state] = chance[shorter]
            follow[state] = np.where(follow[state], follow[state], follow[shorter])
        if things[state]:
            chance[state] = (often[state] + things[state] * chance[state]) / (total[state] + things[state])
    score, kept = np.log(chance).astype(np.float32), len(characters) + 1
    return Table(follow[:, :kept], score[:, :kept], score[:, space], states.get(" ", 0))
