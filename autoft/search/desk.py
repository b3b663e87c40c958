"""What the file that knows Ray needs of those who decide: configurations to run, and an ear for what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from autoft.search.outcome import Failure

Config = dict[str, Any]
"""JSON values only. `config["trial"]["number"]` is its number."""


class Desk(Protocol):
    """Hands out configurations by number, and is told of each by its number."""

    def next(self) -> Config | None:
        """The next configuration, or None when there is none now."""
        ...

    def over(self) -> bool:
        """Whether there will be none any more."""
        ...

    def started(self, number: int) -> None: ...

    def told(self, number: int, result: Mapping[str, Any]) -> None:
        """An actor's answer."""
        ...

    def completed(self, number: int, last: Mapping[str, Any]) -> None:
        """It has come to its end, or was stopped by a scheduler. `last` is the last answer."""
        ...

    def recovering(self, number: int, *, kept: bool) -> None:
        """Its process was lost and it starts again, from a checkpoint if one was `kept`."""
        ...

    def failed(self, number: int, failure: Failure) -> None:
        """Its process was lost, and it is given up."""
        ...

    def end(self, reason: str) -> None:
        """Everything that still ran was stopped."""
        ...
