"""All brackets of a search: who arrives where, who goes on, and who makes room."""

from __future__ import annotations

from collections.abc import Callable
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
                self._promote(bracket)

    def make_room(self, behind: Callable[[int], bool]) -> None:
        """Whoever is `behind` at a rung of a bracket that is open now does not go on, whatever place it has there."""
        for bracket in self.brackets:
            if not bracket.done:
                bracket.behind = behind
                self._promote(bracket)

    def _promote(self, bracket: Bracket) -> None:
        """The best of it go on."""
        third = f"not among the best third after {bracket.until} epochs"
        lost = bracket.promote(self._ranks.key)
        self._closed += [Closed(n, BEHIND if bracket.behind(n) else third) for n in lost]
        if bracket.done:
            self._counted(bracket)
