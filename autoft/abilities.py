"""What a task may be able to do beside `contracts.Task`, where that says more than one word about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from autoft.contracts import Arrays
from autoft.records import Sample, Schema


@runtime_checkable
class Baselined(Protocol):
    """Ability of a task: a plain method without any network, that every search is measured against."""

    def plain(self, train: Sequence[Sample], test: Sequence[Sample], schema: Schema) -> tuple[str, Arrays]:
        """The method's name, and its predictions for `test` as `Task.decode` gives them.

        Called once, when the search is over. `train` is all that the search could learn from, validation included.
        """
        ...
