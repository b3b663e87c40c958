"""What happens during a search, as records: the screen, the run folder and the plugins all listen to these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autoft.records import EpochReport, Issue, Param, Record, TrialResult, TrialSpec


class Note(Record):
    """A sentence for the user. `level` is info, warning or detail (shown with -v)."""

    text: str
    level: str = "info"


class DataRecognised(Record):
    """The data were read and checked."""

    sentence: str
    samples: int
    classes: tuple[str, ...]
    splits: dict[str, int]
    """Samples by split."""
    issues: tuple[Issue, ...] = ()


class Planned(Record):
    """What the search is about to do."""

    folder: str
    arguments: dict[str, Any]
    """All options, resolved."""
    space: tuple[Param, ...]
    models: tuple[str, ...]
    metric: str
    deadline: float
    """Unix time at which the last trial must stop."""
    concurrency: int
    scored_at: int = 0
    """Side in pixels of the masks that scores are measured on; 0 where no masks are predicted."""


class TrialStarted(Record):
    spec: TrialSpec


class TrialReported(Record):
    number: int
    report: EpochReport


class TrialFinished(Record):
    result: TrialResult
    best: bool
    """It is the best so far, and `best/` now holds its model."""


class Finished(Record):
    """The search is over; `summary` is the content of `metrics.json`."""

    folder: str
    summary: dict[str, Any]


Event = Note | DataRecognised | Planned | TrialStarted | TrialReported | TrialFinished | Finished
Listener = Callable[[Event], None]
