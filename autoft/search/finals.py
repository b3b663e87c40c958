"""What configurations are worth, by the mean of their runs, since one may be lucky; and how they run again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from autoft.course import repeated
from autoft.records import TrialResult
from autoft.search.space import Space, Values

LENGTH: Final = ("epochs", "patience")
"""What a second run may have otherwise than the first."""


def rerun_params(params: Values, result: TrialResult, space: Space) -> Values:
    """The configuration of a second run: as many epochs as were best in the first one, its schedule to the end, as the
    last training has it (`course.repeated`)."""
    recipe = repeated(result.recipe, result.best_epoch).flat()
    return params | {key: recipe[key] for key in LENGTH if any(param.key == key for param in space)}


def rerun_seconds(result: TrialResult) -> float:
    """How long a second run takes."""
    return result.seconds * repeated(result.recipe, result.best_epoch).epochs / max(1, result.epochs)


def values(rivals: Sequence[Sequence[int]], scores: Mapping[int, float], exact: Collection[int]) -> list[float]:
    """What each configuration is worth: the mean of its runs.

    One that did not run again has the luck of its one run in its score: it counts less by what those that did run
    again have lost by it, in the mean.

    Args:
        rivals: the trials of each configuration.
        scores: of each trial, larger is better.
        exact: trials whose score has no such luck in it: heads that are solved, and what was not picked for its score.
    """
    lost = [max(scores[n] for n in group) - _mean(group, scores) for group in rivals if len(group) > 1]
    luck = sum(lost) / (len(lost) + 1)  # a single pair says little: as if one more had lost nothing
    return [_mean(group, scores) - (0.0 if len(group) > 1 or group[0] in exact else luck) for group in rivals]


def distinct(
    scores: Mapping[int, float], configuration: Callable[[int], object], kinds: Mapping[int, object]
) -> list[int]:
    """Trials by their scores, the best first; of each configuration its best one.

    Of equal scores that comes first of whose kind fewer were tried: the best of many owes more of its score to chance.

    Args:
        kinds: of all trials, also of those without a score.
    """
    found: dict[object, int] = {}
    tried = Counter(kinds.values())
    for number in sorted(scores, key=lambda number: (-scores[number], tried[kinds[number]], number)):
        found.setdefault(configuration(number), number)
    return list(found.values())


def reason(perfect: bool, stale: int, room: bool) -> str:
    """Why a search is over, in words.

    Args:
        stale: rounds without a better score, where these ended it.
        room: whether further trials were allowed: then time was short.
    """
    if perfect:
        return "the validation score cannot become better"
    if stale:
        return f"no better score in {stale} rounds of trials"
    return "there was no time for another round of trials" if room else "all trials are done"


def _mean(group: Sequence[int], scores: Mapping[int, float]) -> float:
    return sum(scores[number] for number in group) / len(group)
