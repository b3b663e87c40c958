"""Whether a search still gains: how many rounds of trials came to nothing, and since when."""

from __future__ import annotations

from typing import Final

from autoft.search.extents import FEWEST

STALE: Final = 4
"""Rounds without a better score after which nothing more is expected."""
SINCE: Final = 1 / 3
"""Part of the time so far in which nothing became better, before the same is expected: rounds may be small, and what
more time is given for deserves more of it."""
PATIENT: Final = 2
"""Rounds without a better score after which trials are planned for all their epochs: short ones have shown theirs."""


class Progress:
    """Counts rounds. Small ones count together, until `FEWEST` trials of theirs have trained blocks.

    Args:
        began: when the search did.
    """

    def __init__(self, began: float) -> None:
        self.began = self.gained = began
        """`gained`: when something became better last."""
        self.stale = 0
        self.leading = -float("inf")
        """What the best is worth; larger is better."""
        self._trials = 0
        """That have trained blocks in small rounds, since one was counted."""

    def round(self, trials: int, best: float, now: float) -> None:
        """A round has come to its end.

        Args:
            trials: of its trials, those that count.
            best: what the best of the search is worth by now.
        """
        if best > self.leading:
            self.leading, self.gained, self.stale, self._trials = best, now, 0, 0
            return
        self._trials += trials
        if self._trials >= FEWEST:
            self.stale, self._trials = self.stale + 1, 0

    def learned(self, best: float) -> None:
        """Second runs have told what the best is worth: this is what others must do better than."""
        self.leading = best

    def over(self, now: float) -> bool:
        """Whether nothing more is expected."""
        return self.stale >= STALE and now - self.gained >= SINCE * (now - self.began)
