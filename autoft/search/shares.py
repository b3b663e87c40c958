"""Which family of trials has which part of the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from autoft.search.families import PARTIAL, WHOLE

SHARES: Final = {True: {PARTIAL: 0.2, WHOLE: 0.8}, False: {PARTIAL: 0.6, WHOLE: 0.4}}
"""Parts of the time by whether the networks are weak: those must be trained whole."""
LEADER: Final = 0.75
"""Part of the time for the family that has the best score, once both have been tried."""


def by_need(spent: Mapping[str, float], best: Mapping[str, float | None], *, weak: bool, compared: bool) -> list[str]:
    """The families, the one that is furthest behind its part of the time first: another one's trials may fit where its
    do not.

    Args:
        spent: seconds by family.
        best: the best score by family, larger is better; None where there is none.
        weak: whether the networks are.
        compared: whether brackets of more than one family have come to their end.
    """
    shares = dict(SHARES[weak])
    if compared and all(best[family] is not None for family in shares):
        leader = max(shares, key=lambda family: best[family] or 0.0)
        shares = {family: LEADER if family == leader else 1 - LEADER for family in shares}
    whole = sum(spent[family] for family in shares)
    behind = {family: share - (spent[family] / whole if whole else 0.0) for family, share in shares.items()}
    return sorted(shares, key=lambda family: -behind[family])
