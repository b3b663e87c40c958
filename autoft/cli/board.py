"""What is known of a search so far, gathered from its events. Knows nothing of the screen."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from autoft import course
from autoft.events import (
    DataRecognised,
    Event,
    Finished,
    Planned,
    TrialFinished,
    TrialReported,
    TrialStarted,
)
from autoft.records import EpochReport, Metric, TrialResult, TrialSpec


class Row(msgspec.Struct):
    """One trial on the screen."""

    number: int
    name: str
    model: str
    recipe: dict[str, Any]
    epoch: int = 0
    score: float | None = None
    """What the best epoch so far counts as."""
    metrics: dict[str, float] = {}
    """Of that epoch."""
    status: str = "running"
    seconds: float = 0.0
    reason: str = ""
    division: int = 0
    """Above 0: validated on other samples than the other trials."""


class Board:
    """Trials that run, the ranking of those that ended, and how long there is left."""

    def __init__(self) -> None:
        self.metric = Metric(name="score")
        self.data: DataRecognised | None = None
        self.plan: Planned | None = None
        self.summary: dict[str, Any] = {}
        self.folder = ""
        self.running: dict[int, Row] = {}
        self.ended: list[Row] = []
        """Trials with a score, best first."""
        self.failed = 0
        self.best: Row | None = None

    def take(self, event: Event) -> None:
        """Bring the board up to date."""
        match event:
            case DataRecognised():
                self.data = event
            case Planned():
                self.plan = event
                self.folder = event.folder
                if self.metric.name != event.metric:
                    self.metric = Metric(name=event.metric)
            case TrialStarted():
                self._start(event.spec)
            case TrialReported():
                self._report(event.number, event.report)
            case TrialFinished():
                self._finish(event.result, event.best)
            case Finished():
                self.summary = event.summary
                self.folder = event.folder

    def better(self, one: float, other: float | None) -> bool:
        """Whether score `one` beats `other`. Nothing loses to something; NaN beats nothing."""
        if math.isnan(one):
            return False
        if other is None or math.isnan(other):
            return True
        return self.metric.sign * one > self.metric.sign * other

    def lead(self) -> Row | None:
        """The best trial so far, of those that run as well as of those that ended; None before any score."""
        best: Row | None = None
        for row in (*self.ended, *self.running.values()):
            if row.score is not None and self.better(row.score, best.score if best else None):
                best = row
        return best

    def row(self, result: TrialResult) -> Row:
        """An ended trial as a row."""
        return Row(
            number=result.number,
            name=result.name,
            model=result.model,
            recipe=result.recipe.flat(),
            epoch=result.epochs,
            score=result.score,
            metrics=result.metrics,
            status=result.status,
            seconds=result.seconds,
            reason=result.reason,
            division=result.division,
        )

    def _start(self, spec: TrialSpec) -> None:
        self.metric = spec.metric
        self.running[spec.number] = Row(
            number=spec.number, name=spec.name, model=spec.recipe.model or spec.card.name, recipe=spec.recipe.flat()
        )

    def _report(self, number: int, report: EpochReport) -> None:
        row = self.running.get(number)
        if row is None:
            return  # a report that overtook its trial's end
        row.epoch = report.epoch
        row.seconds = report.seconds
        if course.leading(self.metric, report.score, math.nan if row.score is None else row.score):
            row.score, row.metrics = report.score, report.metrics

    def _finish(self, result: TrialResult, best: bool) -> None:
        self.running.pop(result.number, None)
        row = self.row(result)
        if result.score is None or math.isnan(result.score):
            self.failed += result.status == "failed"
            return
        self.ended.append(row)
        self.ended.sort(key=lambda r: (-self.metric.sign * (r.score or 0.0), r.number))
        if best or self.best is None:
            self.best = row
