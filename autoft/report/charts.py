"""The report's two charts: how the search got better, and how single trials learned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autoft.counted import shown
from autoft.ranking import rank, sort_key
from autoft.records import EpochReport, Metric, TrialResult
from autoft.report.compared import compared
from autoft.report.svg import Frame

MOST_CURVES = 60


def progress(results: Sequence[TrialResult], metric: Metric, began: float) -> str:
    """Every trial's score when it ended, and the best so far as steps.

    Along the x axis stand minutes since `began` (Unix time), or the order of the trials where no times were kept.
    """
    scored = [r for r in results if _finite(r.score)]
    if not scored:
        return ""
    timed = bool(began) and all(r.ended >= began for r in scored)
    at = {r.number: (r.ended - began) / 60 if timed else float(place) for place, r in enumerate(scored, start=1)}
    frame = Frame(
        [(at[r.number], _shown(r, metric)) for r in scored],
        "minutes since the start" if timed else "trials, in the order in which they ended",
        f"validation {metric.name}",
        lambda tick: _tick(tick, metric),
        whole=not timed,
    )
    frame.line(_steps(scored, at, metric), "lead")
    for result in scored:
        kind = "baseline" if result.number == 0 else "trial"
        frame.dot((at[result.number], _shown(result, metric)), kind, tip(result, metric))
    return frame.svg()


def _steps(scored: Sequence[TrialResult], at: dict[int, float], metric: Metric) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    best = scored[0]
    for result in scored:
        if result is not best and sort_key(result, metric) < sort_key(best, metric):
            points.append((at[result.number], _shown(best, metric)))
            best = result
        points.append((at[result.number], _shown(best, metric)))
    return points


def curves(results: Sequence[TrialResult], metric: Metric, leader: TrialResult | None = None) -> str:
    """Validation score by epoch: the leader, by default the best trial, and the baseline in colour, the others in grey
    behind them."""
    told = [r for r in rank(results, metric) if any(_finite(e.score) for e in r.history)][:MOST_CURVES]
    if not told:
        return ""
    lines = {r.number: [(float(e.epoch), _shown(e, metric)) for e in r.history if _finite(e.score)] for r in told}
    points = [point for line in lines.values() for point in line]
    frame = Frame(points, "epoch", f"validation {metric.name}", lambda tick: _tick(tick, metric), whole=True)
    best = leader if leader in told else told[0]
    for result in [*(r for r in told[::-1] if r is not best), best]:  # the best is drawn last, on top
        kind = "lead" if result is best else "baseline" if result.number == 0 else "other"
        frame.line(lines[result.number], kind, tip(result, metric))
    return frame.svg()


def tip(result: TrialResult, metric: Metric) -> str:
    """What the browser shows over a mark."""
    return f"{result.name}, {result.model}: {compared(metric, result.score, result.metrics)}"


def _shown(what: TrialResult | EpochReport, metric: Metric) -> float:
    return shown(metric, what.score, what.metrics) or 0.0


def _finite(what: float | None) -> bool:
    return what is not None and math.isfinite(what)


def _tick(what: float, metric: Metric) -> str:
    return f"{100 * what:g}%" if metric.percent else f"{what:g}"
