"""A language model chooses among the likeliest transcripts of a recording: what it learns, and what it weighs.

It ranks again what sound alone has found (`_nbest`): score of the sound + weight * (score of the text + a bonus for
each character), since each further character makes a text less likely. Where the words of the training transcripts are
nearly all that is ever said, transcripts of these words alone can be looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autoft_speech import _characters, _nbest, _ngram
from autoft_speech._words import has_signs

Array = np.ndarray[Any, np.dtype[Any]]

WEIGHTS = (0.2, 0.4, 0.7, 1.0)
BONUSES = (0.0, 1.0, 2.0)
"""Of a character, as natural logarithms: text without any model has about 3."""
UNSEEN = 0.02
"""Most words that may lie outside of a list of all that may be said."""
WORDS = 5000
"""Words of such a list at most."""
KEYS = ("row", "sound", "text", "length", "sure")
"""Of the arrays of candidates: `lists_row` int32 (n, kinds, candidates, longest), the others float32 (n, kinds,
candidates), `lists_sound` -inf where there are fewer. Kinds: any text, and known words alone where there is a list."""


class Choice(NamedTuple):
    """Which candidates are ranked again, and how."""

    weight: float
    bonus: float
    kind: int

    def named(self) -> dict[str, float]:
        """As summaries show it."""
        return {"beam": _nbest.WIDTH, "lm": self.weight, "bonus": self.bonus, "lexicon": self.kind}


def choice(calibrated: Mapping[str, float]) -> Choice | None:
    """What was chosen on validation; None where no language model was."""
    if calibrated.get("lm", 0.0) <= 0:
        return None
    return Choice(calibrated["lm"], calibrated["bonus"], int(calibrated["lexicon"]))


def choices(lists: Mapping[str, Array]) -> list[Choice]:
    kinds = range(lists["lists_row"].shape[1])
    return [Choice(weight, bonus, kind) for kind in kinds for weight in WEIGHTS for bonus in BONUSES]


def learned(texts: Sequence[str]) -> dict[str, Any]:
    """The model, as it stands in a schema: counts of n-grams, and `words` where these are nearly all that is said."""
    found = _ngram.learned(texts)
    words = Counter(word for text in texts for word in text.split())
    # What is met once among so many is how much of what comes next was never met (Good, 1953).
    once = sum(count == 1 for count in words.values())
    closed = len(words) <= WORDS and once <= UNSEEN * sum(words.values())
    if closed and words and not has_signs("".join(words)):
        found["words"] = sorted(words)
    return found


def lists(chances: Array, extra: Mapping[str, Any], kinds: Sequence[int] = ()) -> dict[str, Array]:
    """Candidates for each recording.

    Args:
        extra: of the schema: `characters` and `lm`.
        kinds: 0 for any text, 1 for known words; without any, all that the model knows.
    """
    characters, told = extra["characters"], extra["lm"]
    model, space = _ngram.Model(told), characters.index(" ") + 1 if " " in characters else 0
    words = _characters.indices(told.get("words", ()), characters)
    kinds = kinds or ((0, 1) if words else (0,))
    found = [list(_nbest.heard(chances, words if kind else (), space)) for kind in kinds]
    shape = (len(chances), len(kinds), max([1, *(len(some) for kind in found for some in kind)]))
    longest = max([1, *(len(one.row) for kind in found for some in kind for one in some)])
    rows = np.zeros((*shape, longest), np.int32)
    sound, text, length, sure = (np.full(shape, value, np.float32) for value in (-np.inf, 0, 0, 1))
    for place, kind in enumerate(found):
        for number, some in enumerate(kind):
            for rank, one in enumerate(some):
                at = number, place, rank
                said = _characters.spell(one.row, characters)
                rows[at][: len(one.row)] = one.row
                sound[at], sure[at], length[at] = one.score, one.sure, len(said)
                text[at] = model.log(said)
    return {f"lists_{key}": values for key, values in zip(KEYS, (rows, sound, text, length, sure), strict=True)}


def ranked(lists: Mapping[str, Array], chosen: Choice) -> Array:
    """The candidate of each recording that comes first, int64 (n,)."""
    sound, text, length = (lists[f"lists_{key}"][:, chosen.kind] for key in ("sound", "text", "length"))
    return np.asarray((sound + chosen.weight * (text + chosen.bonus * length)).argmax(1))


def taken(lists: Mapping[str, Array], chosen: Choice) -> tuple[Array, Array]:
    """`index` int64 (n, longest) and `confidence` float32 (n,) of the candidates that come first."""
    best, every = ranked(lists, chosen), np.arange(len(lists["lists_row"]))
    rows = lists["lists_row"][every, chosen.kind, best].astype(np.int64)
    return rows, lists["lists_sure"][every, chosen.kind, best]


def heard(chances: Array, extra: Mapping[str, Any], chosen: Choice) -> tuple[Array, Array]:
    """The same of candidates that are looked for as was chosen, and no others."""
    return taken(lists(chances, extra, (chosen.kind,)), chosen._replace(kind=0))
