"""All brackets of a search: who arrives where, who goes on, and who makes room."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from autoft.search.halving import Bracket, Ranks
from autoft.search.strategy import Closed

BEHIND: Final = "behind trial 0, and time leaves no second training as long: others go on from the better model"


class Rounds:
    """
    Args:
        counted: told of each bracket that has come to its end.
    """

    def __init__(self, ranks: Ranks, counted: Callable[[Bracket], None]) -> None:
        self.brackets: list[Bracket] = []
        self._ranks, self._counted = ranks, counted
        self._closed: list[Closed] = []

    def closed(self) -> list[Closed]:
        """Trials that do not go on, each told of once."""
        taken, self._closed = self._closed, []
        return taken

    def arrive(self, number: int, *, able: bool) -> None:
        """A trial has paused, where it is `able` to go on, or ended."""
        for bracket in self.brackets:
            if number in bracket:
                bracket.delay(self._ranks.rung(bracket.until))
                bracket.arrive(number, able=able, epoch=self._ranks.epoch(number))
                bracket.ended(number, scored=number in self._ranks.best)
                self.promote(bracket)

    def promote(self, *brackets: Bracket) -> None:
        """The best of these go on, or of all that have not come to their end."""
        for bracket in brackets or [one for one in self.brackets if not one.done]:
            rung = bracket.until
            lost = bracket.promote(self._ranks.key)
            third = f"not among the best third after {rung} epochs"
            self._closed += [Closed(n, BEHIND if bracket.behind(n) else third) for n in lost]
            if bracket.done:
                self._counted(bracket)

    def leave_one(self, begun: Collection[int], going_on: Collection[int]) -> None:
        """Beside a trial 0 that time leaves few epochs one other configuration has as many: of brackets whose trials
        begin anew those that have not begun never do, and what is behind trial 0 when that has ended makes room for
        trials that go on from the better one."""
        for bracket in self.brackets:
            if not bracket.done and not set(going_on).intersection(bracket.numbers):
                bracket.withdraw(begun)
                bracket.behind = self._behind

    def _behind(self, number: int) -> bool:
        best = self._ranks.best
        return not self._ranks.waits and best.get(number, -float("inf")) < best.get(0, -float("inf"))
