"""One word for each sample that has several labels, so that splits keep the proportions of the rare ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

RARE = 20
"""Strata of fewer samples are one: otherwise a label of a handful would have validation repeated in folds."""


def rarest(labels: Sequence[Sequence[str]], empty: str) -> list[str]:
    """The rarest label of each sample.

    Args:
        labels: those of each sample; one that is there several times counts as often.
        empty: the word of a sample without labels.
    """
    sizes = Counter(name for names in labels for name in names)
    words = [min(names, key=lambda name: (sizes[name], name), default=empty) for names in labels]
    held = Counter(words)
    small = {word for word, number in held.items() if number < RARE}
    common = min(held, key=lambda word: (-held[word], word)) if held else empty
    rest = "rare" if sum(held[word] for word in small) >= RARE else common
    return [rest if word in small else word for word in words]
