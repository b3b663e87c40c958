"""The strategies of core that are asked for work. The flat one is none of them: it is a searcher and a scheduler."""

from __future__ import annotations

from autoft.search.auto import Auto
from autoft.search.strategy import Facts, Strategy


class FromCheapToDear:
    """The strategy `auto`."""

    def start(self, facts: Facts) -> Strategy:
        return Auto(facts)
