"""What this distribution offers to autoft. Imported on every start: nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable

from autoft.api import Entry, hookimpl


@hookimpl
def autoft_strategies() -> Iterable[Entry]:
    yield Entry(
        name="graybox",
        target="autoft_graybox.strategy:GrayBox",
        summary="Learned from past runs: who gets the next epochs is told by all learning curves so far",
    )
