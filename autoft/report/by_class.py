"""Scores that exist for each class: numbers named `word:class`, such as `ap:cat`, as a table of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autoft.report.words import score

MARK = ":"


class ByClass(NamedTuple):
    """A row for each class."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(summary: Mapping[str, Any]) -> ByClass | None:
    """The test part's scores by class, and beside them what was set on validation by class; None without any."""
    metrics = (summary.get("test") or {}).get("metrics") or {}
    scores = [(name, number) for name, number in metrics.items() if MARK in name]
    if not scores:
        return None
    scores += [pair for pair in ((summary.get("best") or {}).get("calibrated") or {}).items() if MARK in pair[0]]
    words: dict[str, dict[str, float | None]] = {}
    for name, number in scores:
        word, _, kind = name.partition(MARK)
        words.setdefault(word, {})[kind] = number
    kinds = dict.fromkeys(kind for numbers in words.values() for kind in numbers)
    rows = tuple((kind, *(score(numbers.get(kind)) for numbers in words.values())) for kind in kinds)
    return ByClass(("class", *words), rows)


def told(numbers: Mapping[str, float | None], most: int) -> tuple[dict[str, float | None], str]:
    """What a screen shows: the numbers of classes only where they are `most` at most, else a word about them."""
    count = sum(MARK in name for name in numbers)
    if count <= most:
        return dict(numbers), ""
    return {name: number for name, number in numbers.items() if MARK not in name}, f"{count} of single classes"
