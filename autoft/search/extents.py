"""How many trials and epochs a bracket may have in the time that is left, by what epochs have cost so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from autoft.search.families import BASELINE, PARTIAL, WHOLE, Draws
from autoft.search.halving import FIRST, Ranks
from autoft.search.headgrid import head_sizes
from autoft.search.headwork import area
from autoft.search.strategy import Facts
from autoft.search.times import Times

MOST: Final = 27
FEWEST: Final = 3
"""Trials in a bracket, at most and at least."""
SHORTEST: Final = 4
"""Epochs that the trials of a bracket should have at least."""
USEFUL: Final = 8
"""Epochs that are worth more than deeper training: where time does not leave them, blocks are trained less deep."""
SHORT: Final = 0.3
"""Part of the most epochs that is a whole schedule for trials which begin at a solved head, where it is at least
`LEAST` (docs/adr/0056-schedules-end.md)."""
LEAST: Final = 6
UNKNOWN: Final = 0.5
"""Price of an epoch up to which depths are drawn while nobody knows what one takes."""
FAMILIES: Final = (PARTIAL, WHOLE, BASELINE)
"""Whose epochs tell of another family's, where that has none; the nearest comes first."""


class Extents:
    """Knows the prices of epochs, by family.

    Args:
        draws: the families and how each is drawn.
    """

    def __init__(self, facts: Facts, times: Times, ranks: Ranks, draws: Mapping[str, Draws]) -> None:
        self.facts, self.times, self.ranks, self.draws = facts, times, ranks, draws

    def epoch_seconds(self, family: str) -> float:
        """Expected seconds of an epoch, on images of area 1, of a trial that is drawn for this family and trains
        blocks; 0 when there is nothing to go by."""
        known = next((one for one in (family, *FAMILIES) if self.times.measured(one)), "")
        return self.times.epoch_seconds(known) * self.draws[family].cost() if known else 0.0

    def worth(self, sizes: tuple[int, ...], family: str, left: float) -> tuple[int, ...]:
        """Of the image sizes with good features, the largest first, those at which a small bracket fits into half of
        the time left; the smallest one if none does."""
        least = self.ranks.cost(FEWEST, SHORTEST) * self.epoch_seconds(family) / self.hands(FEWEST)
        return tuple(size for size in sizes if least * area(size) <= left / 2) or sizes[-1:]

    def planned(self, brackets: int, *, begun: bool, patient: bool = False) -> int:
        """Epochs that the trials of a bracket plan for, at most. Of those that begin at a solved head two brackets of
        three, the first ones included, have a short schedule that comes to its end; the others show whether more epochs
        are worth more. Where scores tell nothing at first, none is short.

        Args:
            brackets: of the same family that there were.
            begun: whether its trials begin at a solved head.
            patient: whether short schedules have made nothing better for long.
        """
        short = max(LEAST, round(SHORT * self.facts.epochs))
        fits = (
            begun and not patient and brackets % 3 < 2 and self.ranks.first == FIRST and 2 * short <= self.facts.epochs
        )
        return short if fits else self.facts.epochs

    def of(self, family: str, left: float, most: int, planned: int = 0) -> tuple[int, int]:
        """Trials and epochs of a bracket that takes about half of `left` seconds; none where not even `FEWEST` fit.
        Whole networks must fit for `SHORTEST` epochs: in fewer they come to nothing. `planned` are the most epochs,
        where these are fewer than those of the search."""
        epochs, least = planned or self.facts.epochs, max(SHORTEST if family == WHOLE else 2, self.ranks.first)
        if left <= 0:
            return 0, 0
        each = self.epoch_seconds(family) * self._area(family)
        if not each:  # nothing was measured yet
            return 2 * FEWEST if family == PARTIAL else FEWEST, epochs
        while epochs > least and self._cost(family, FEWEST, epochs) * each / self.hands(FEWEST) > left:
            epochs -= 1
        count = most
        while count > FEWEST and self._cost(family, count, epochs) * each / self.facts.workers > left / 2:
            count -= 1
        fits = self._cost(family, count, epochs) * each / self.hands(count) <= 1.2 * left
        return (count, epochs) if fits else (0, 0)

    def dearest(self, family: str, left: float, count: int) -> float:
        """The price of an epoch (`families.price`) at which so many trials have `USEFUL` epochs, as a bracket; 1 where
        all have, `UNKNOWN` where time is limited and nothing was measured yet."""
        if left == float("inf"):
            return 1.0
        unit = self.epoch_seconds(family) / self.draws[family].cost() * self._area(family)
        epochs = min(USEFUL, self.facts.epochs)
        return min(1.0, left * self.hands(count) / (self.ranks.cost(count, epochs) * unit)) if unit else UNKNOWN

    def single(self, families: Sequence[str], left: float) -> tuple[str, int]:
        """The family of a single trial, and the epochs for which it has time: the first family that has `USEFUL`, else
        that which has most. Empty and 0 where none has those of a first rung."""
        fitting = {family: self.short(family, left) for family in families}
        enough = [family for family, epochs in fitting.items() if epochs >= min(USEFUL, self.facts.epochs)]
        best = enough[0] if enough else max(fitting, key=lambda family: fitting[family], default="")
        return (best, fitting[best]) if fitting.get(best) else ("", 0)

    def short(self, family: str, left: float) -> int:
        """Epochs for which a single trial has time; 0 where that is less than a first rung."""
        each = self.epoch_seconds(family) * self._area(family)
        epochs = min(self.facts.epochs, int(left / each)) if each and left > 0 else 0
        return epochs if epochs >= self.ranks.first else 0

    def hands(self, count: int) -> float:
        """Workers that a bracket of few trials keeps busy: its last rung has but one."""
        return min(self.facts.workers, max(1.0, count / 2))

    def _cost(self, family: str, count: int, epochs: int) -> float:
        """Epochs that blocks are trained for: some of the draws are heads, which cost next to nothing."""
        return self.ranks.cost(max(1, round(count * self.draws[family].trained())), epochs)

    def _area(self, family: str) -> float:
        """Mean area of the images of this family's trials."""
        draws = self.draws[family]
        sizes = [draws.sizes.get(name) or head_sizes(self.facts.space, name) for name in draws.models]
        areas = [area(size) for some in sizes for size in some]
        return sum(areas) / len(areas)
