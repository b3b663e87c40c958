"""A searcher plugin that proposes the configurations of a file, so that autoft tries just those that a peer tries.

AUTOFT_PLUGINS=benchmarks.common.listed BENCH_CONFIGS=configs.json autoft search --strategy flat --searcher listed
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autoft.api import Entry, Param, hookimpl

CONFIGS = "BENCH_CONFIGS"


@hookimpl
def autoft_searchers() -> Iterator[Entry]:
    yield Entry(name="listed", target="benchmarks.common.listed:Listed", summary="The configurations of a file")


class Listed:
    """A `SearcherPlugin`."""

    def start(self, space: Sequence[Param], mode: str, seed: int) -> ListedSearch:
        rows = json.loads(Path(os.environ[CONFIGS]).read_text(encoding="utf-8"))
        return ListedSearch(rows)


class ListedSearch:
    """A `Searcher`."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def ask(self, number: int) -> dict[str, Any] | None:
        return dict(self._rows[number]) if number < len(self._rows) else None

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        """Nothing is learned from scores."""
