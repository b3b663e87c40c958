"""Tables of past runs: learning curves of many configurations on several data sets.

Each line of the file (JSON lines, gzipped or not) is one run: `dataset`, `config` (Quick-Tune's keys), `accuracy` (in
percent, one value an epoch) and `seconds` (of each epoch).
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from autoft.api import DataError
from autoft_graybox.curve import Array
from autoft_graybox.encoding import encode, from_quicktune

EPOCHS: Final = 50
LIMIT: Final = 57_600
"""Seconds after which each of these runs was cut off (16 hours)."""


class Table(NamedTuple):
    """All runs on one data set."""

    configurations: tuple[dict[str, Any], ...]
    """In a recipe's words."""
    encoded: Array
    models: tuple[str, ...]
    scores: Array
    """(n, EPOCHS) in [0, 1]; the last value goes on after the end."""
    seconds: Array
    """(n, EPOCHS); 0 after the end."""
    length: Array
    """(n,) epochs that were run."""
    planned: Array
    """(n,) epochs that the time limit allowed, told by the first epoch's duration."""

    @property
    def final(self) -> Array:
        """(n,) best score of each run."""
        best: Array = self.scores.max(1)
        return best


def read(path: Path) -> dict[str, Table]:
    """Tables by data set.

    Raises:
        DataError: there are no runs in the file.
    """
    raw = path.read_bytes()
    runs: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines():
        run = json.loads(line)
        runs[run["dataset"]].append(run)
    if not runs:
        raise DataError(f"a table of runs must have at least one line, but {path} is empty.")
    return {name: table(runs[name]) for name in sorted(runs)}


def table(runs: list[Mapping[str, Any]]) -> Table:
    """From runs on one data set."""
    scores, seconds = np.zeros((len(runs), EPOCHS)), np.zeros((len(runs), EPOCHS))
    for row, run in enumerate(runs):
        values = np.asarray(run["accuracy"], np.float64)[:EPOCHS] / 100
        scores[row] = np.concatenate([values, np.full(EPOCHS - len(values), values[-1])])
        seconds[row, : len(values)] = run["seconds"][: len(values)]
    configurations = tuple(from_quicktune(run["config"], EPOCHS) for run in runs)
    return Table(
        configurations=configurations,
        encoded=encode(configurations, EPOCHS),
        models=tuple(values["model"] for values in configurations),
        scores=scores,
        seconds=seconds,
        length=np.array([min(len(run["accuracy"]), EPOCHS) for run in runs]),
        planned=np.clip(LIMIT // np.maximum(seconds[:, 0], 1), 1, EPOCHS).astype(np.int64),
    )
