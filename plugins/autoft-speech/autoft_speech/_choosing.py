"""Which weight a language model gets, by the errors that validation has with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoft.api import counted
from autoft_speech import _errors, _language

Array = np.ndarray[Any, np.dtype[Any]]
Tally = Callable[[Array, Array], Mapping[str, Array]]
"""Edits and lengths (`_errors.tally`) of some rows of classes, said to be those of these recordings."""

CLEAR = 1.2
"""Errors that must be saved, as a multiple of what chance saves or costs: the root of the squares, summed over
recordings. A single recording that is better is chance; two of the same size, with none that is worse, are not."""


def chosen(lists: Mapping[str, Array], plain: Array, tally: Tally) -> _language.Choice | None:
    """The choice with the fewest errors, the first of equal ones; None where it saves too little.

    Args:
        plain: rows of classes, the transcripts without a language model.
    """
    every = np.arange(len(plain))
    before = dict(tally(plain, every))
    known: dict[tuple[int, int, int], tuple[int, int]] = {}
    best, least, edits = None, _worth(before), before
    for choice in _language.choices(lists):
        picks = _language.ranked(lists, choice)
        keys = [(number, choice.kind, pick) for number, pick in enumerate(picks.tolist())]
        new = np.array([number for number, key in enumerate(keys) if key not in known], np.int64)
        if len(new):
            told = tally(lists["lists_row"][new, choice.kind, picks[new]], new)
            pairs = zip(told["edits_words"].tolist(), told["edits_characters"].tolist(), strict=True)
            known |= zip((keys[number] for number in new), pairs, strict=True)
        words, characters = np.array([known[key] for key in keys], np.int64).reshape(-1, 2).T
        after = {**before, "edits_words": words, "edits_characters": characters}
        if _worth(after) < least:
            best, least, edits = choice, _worth(after), after
    return best if _is_clear(before, edits) else None


def _worth(tallies: dict[str, Array]) -> tuple[float, float]:
    rates = {metric.name: _errors.rate(metric.name, tallies) for metric in _errors.METRICS}
    return counted(_errors.METRICS[0], rates), rates["cer"]


def _is_clear(before: dict[str, Array], after: dict[str, Array]) -> bool:
    """In words, or in characters where words tell nothing."""
    return any(
        (saved := before[key] - after[key]).sum() > CLEAR * np.sqrt((saved**2).sum())
        for key in ("edits_words", "edits_characters")
    )
