"""What the strategy `auto` knows of a trial that it has handed out."""

from __future__ import annotations

from typing import NamedTuple

from autoft.search.families import key_of
from autoft.search.space import Values


class Known(NamedTuple):
    """A trial, by its family and configuration; `again` counts the runs of that before it."""

    family: str
    params: Values
    again: int
    first: Values = {}
    """The configuration of the first run, where this is a second one: it has epochs of its own."""

    @property
    def key(self) -> object:
        """The same for all runs of a configuration."""
        return key_of(self.first or self.params)
