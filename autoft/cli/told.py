"""Events as plain sentences: what the data are, what is planned, how a trial ended."""

from __future__ import annotations

from collections.abc import Iterator

from autoft.cli.board import Row
from autoft.events import DataRecognised, Planned
from autoft.records import Metric, Param, TrialResult
from autoft.report.compared import compared
from autoft.report.issues import summarised
from autoft.report.words import DASH, count, duration, line, listed, scored_at, value

MORE = "its score is not all that counts"
SHOWN = ("freeze", "lr", "batch_size")


def data(event: DataRecognised) -> Iterator[str]:
    """What was recognised, and every kind of issue with its count and a few names."""
    yield f"data: {line(event.sentence)}"
    parts = ", ".join(f"{number:,} {name}" for name, number in event.splits.items())
    yield f"      {count(event.samples, 'sample')} ({parts})" if parts else f"      {count(event.samples, 'sample')}"
    if event.classes:
        yield f"      {count(len(event.classes), 'class', 'classes')}: {listed(event.classes)}"
    yield from (f"      ! {sentence}" for sentence in summarised(event.issues))


def plan(event: Planned, left: float) -> Iterator[str]:
    """What the search is about to do, in a few lines."""
    searched = list(dict.fromkeys(param.key for param in event.space if not param.fixed))
    trials = int(event.arguments.get("trials") or 0)
    limit = f", at most {count(trials, 'trial')}" if trials else ""
    yield f"plan: best {line(event.metric)} within {duration(left)}{limit}, {event.concurrency} at a time"
    yield f"      {count(len(event.models), 'network')}: {listed(event.models, most=5)}"
    if searched:
        yield f"      {count(len(searched), 'searched parameter')}: {listed(searched, most=16)}"
    if event.scored_at:
        yield f"      {scored_at(event.scored_at)}, the largest side that is tried (--decode-size sets another)"
    if event.folder:
        yield f"      run folder: {line(event.folder)}"


def param(what: Param) -> str:
    """The range of a parameter, as it would be typed."""
    if what.fixed:
        return value(what.choices[0] if what.kind == "choice" else what.low)
    if what.kind == "choice":
        return ",".join(dict.fromkeys(value(choice) for choice in what.choices))  # a weight repeats a choice
    return f"{value(what.low)}..{value(what.high)}{':log' if what.log else ''}"


def trial(result: TrialResult, row: Row, best: Row | None, metric: Metric) -> str:
    """One line for an ended trial."""
    how = " ".join(f"{key}={value(row.recipe[key])}" for key in SHOWN if key in row.recipe)
    head = f"{row.name}  {line(row.model)}  {how}"
    if result.status == "failed":
        return f"{head}  failed: {line(result.reason) or 'no reason given'}"
    if not result.epochs:
        return f"{head}  stopped: {line(result.reason) or 'no epoch was over'}"
    end = f"{count(row.epoch, 'epoch')} in {duration(row.seconds)}"
    lead = compared(metric, best.score, best.metrics) if best else DASH
    if best and best.score is not None and row.score is not None:
        ahead = metric.sign * row.score > metric.sign * best.score
        lead += f" ({best.name}: {MORE})" if ahead else ""
    mark = "  (stopped early)" if result.status == "stopped" else ""
    mark += "  (again, on other validation samples)" if result.division > 0 else ""
    return f"{head}  {end}  {line(metric.name)} {compared(metric, row.score, row.metrics)}  best {lead}{mark}"
