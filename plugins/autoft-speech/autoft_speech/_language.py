"""The language model of a model for speech: what it learns, and by which weight validation lets it have a say.

It is one of characters, of the training transcripts alone (`_ngram`), and takes part in the search for the best
transcript (`_search`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoft.api import counted
from autoft_speech import _errors, _ngram, _search
from autoft_speech._search import Vote

Array = np.ndarray[Any, np.dtype[Any]]
Tally = Callable[[Array], Mapping[str, Array]]
"""Edits and lengths (`_errors.tally`) of rows of classes, one for each recording."""

VOTES = tuple(Vote(weight, round(weight * bonus, 2)) for weight in (0.2, 0.4, 0.7) for bonus in (0, 1, 2))
USUAL = VOTES.index(Vote(0.4, 0.4))
CLOSED = 0.02
"""Part of the words, at most, that are expected to be new where all that is ever said is held to be known."""
CLEAR = 1.2
"""Errors that must be saved, as a multiple of what chance saves or costs: the root of the squares, summed over
recordings. A single recording that is better is chance; two of the same size, with none that is worse, are not."""


def vote(calibrated: Mapping[str, float]) -> Vote | None:
    """What was chosen on validation; None where no language model was."""
    return Vote(calibrated["lm"], calibrated["bonus"]) if calibrated.get("lm", 0.0) > 0 else None


def named(chosen: Vote) -> dict[str, float]:
    """As summaries show it."""
    return {"beam": _search.WIDTH, "lm": chosen.weight, "bonus": chosen.bonus}


def learned(texts: Sequence[str]) -> dict[str, Any]:
    """The model, as it stands in a schema: counts of n-grams, and `new`, the part of words that is expected to be."""
    words = Counter(word for text in texts for word in text.split())
    # What was met once, among all that was met, is how much of what comes next was never met (Good, 1953).
    once, everything = sum(count == 1 for count in words.values()), sum(words.values())
    return {**_ngram.learned(texts), "new": round(once / everything, 4) if everything else 1.0}


def heard(chances: Array, extra: Mapping[str, Any], votes: Sequence[Vote] = VOTES) -> tuple[Array, Array]:
    """Transcripts by all votes: rows of classes (n, votes, longest) and how sure they are (n, votes).

    Args:
        extra: of the schema: `characters` and `lm`.
    """
    return _search.search(chances, _ngram.table(extra["lm"], extra["characters"]), votes)


def chosen(rows: Array, plain: Array, tally: Tally, new: float) -> Vote | None:
    """The vote with the fewest errors, the usual one of equal ones; None where it saves too little.

    None may cost characters: texts become likelier by being short, and who leaves out words has fewer wrong ones. Where
    all words are held to be known, few validation recordings need not prove that spelling helps: no more errors are
    enough.

    Args:
        rows: transcripts of each recording by all votes (n, votes, longest).
        plain: those without a language model (n, longest).
        new: part of words that is expected to be.
    """
    before = dict(tally(plain))
    told = [dict(tally(rows[:, number])) for number in range(len(VOTES))]
    most = before["edits_characters"].sum()
    fitting = [number for number, tallies in enumerate(told) if tallies["edits_characters"].sum() <= most]
    if not fitting or not len(plain):
        return None
    best = min(fitting, key=lambda number: (_worth(told[number]), number != USUAL, number))
    if new <= CLOSED and _worth(told[best]) <= _worth(before):
        return VOTES[best]
    return VOTES[best] if _worth(told[best]) < _worth(before) and _is_clear(before, told[best]) else None


def _worth(tallies: dict[str, Array]) -> tuple[float, float]:
    rates = {metric.name: _errors.rate(metric.name, tallies) for metric in _errors.METRICS}
    return counted(_errors.METRICS[0], rates), rates["cer"]


def _is_clear(before: dict[str, Array], after: dict[str, Array]) -> bool:
    """In words, or in characters where words tell nothing."""
    saved = (before[key] - after[key] for key in ("edits_words", "edits_characters"))
    return any(some.sum() > CLEAR * np.sqrt((some**2).sum()) for some in saved)
