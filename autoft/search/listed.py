"""`--configs FILE`: exactly these configurations are tried, one after the other as they stand there.

The file is a JSON list of objects, or one object a line: `{"lr": 0.001, "freeze": 0.5}`. All name the same parameters;
what they leave open has its default. Their values are the space of the search.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autoft.errors import UsageError
from autoft.records import Param, Scalar
from autoft.search import overrides
from autoft.search import space as spaces

Row = dict[str, Scalar]


class ListedSearch:
    """Implements `Searcher`."""

    def __init__(self, rows: Sequence[Row], space: Sequence[Param]) -> None:
        self._rows = [exact(row, space) for row in rows]

    def ask(self, number: int) -> dict[str, Any] | None:
        return dict(self._rows[number]) if number < len(self._rows) else None

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        """Nothing is learned from scores."""


def read(place: str) -> list[Row]:
    """The configurations of a file.

    Raises:
        UsageError: it cannot be read, or does not hold what it should.
    """
    path = Path(place)
    try:
        text = path.read_text(encoding="utf-8").strip()
        found = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line]
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--configs must name a file with a JSON list, or one JSON object a line, but '{place}' cannot be read: "
            f"{error}"
        ) from error
    if not found or not all(isinstance(row, dict) and row for row in found):
        raise UsageError(
            f"each configuration must be an object such as {{\"lr\": 0.001}}, but '{place}' has none or others."
        )
    keys = [_named(row, place) for row in found]
    for number, own in enumerate(keys):
        if own.keys() != keys[0].keys():
            odd = sorted(own.keys() ^ keys[0].keys())
            raise UsageError(
                f"all configurations must name the same parameters, but number {number} of '{place}' differs from the "
                f"first in {', '.join(odd)}."
            )
    return keys


def values(rows: Sequence[Row], given: Mapping[str, Any]) -> dict[str, Any]:
    """The user's overrides and, beside them, the values that are listed for each parameter.

    Raises:
        UsageError: a parameter is in both.
    """
    twice = {overrides.full_name(key) for key in given} & rows[0].keys()
    if twice:
        raise UsageError(
            f"a parameter must stand in --configs or after the options, but {', '.join(sorted(twice))} stands in both."
        )
    return {**given, **{key: list(dict.fromkeys(row[key] for row in rows)) for key in rows[0]}}


def _named(row: Mapping[str, Any], place: str) -> Row:
    """With short names written out."""
    found: Row = {}
    for key, value in row.items():
        if not isinstance(value, str | int | float):
            raise UsageError(f"{key} must be a number, a word, true or false, but '{place}' has {json.dumps(value)}.")
        found[overrides.full_name(key)] = value
    return found


def exact(row: Row, space: Sequence[Param]) -> Row:
    """The values in their types, as the space has them."""
    return spaces.baseline(spaces.edit(space, overrides.parse(row, space)))
