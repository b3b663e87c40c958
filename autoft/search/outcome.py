"""What a trial came to: from its reports, or from the exception that ended it."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

import msgspec

from autoft.errors import TrialFailed
from autoft.records import EpochReport, Record, TrialResult, TrialSpec, TrialStatus


class Failure(Record):
    """An exception as words, to cross a process border."""

    reason: str
    traceback: str


def failure_of(error: Exception) -> Failure:
    """The first line for tables, and the traceback for those who look."""
    hint = getattr(error, "hint", "")
    reason = str(error) if isinstance(error, TrialFailed) else f"{type(error).__name__}: {error}"
    return Failure(
        reason=f"{reason} {hint}".strip().splitlines()[0], traceback="".join(traceback.format_exception(error))
    )


def result_of(
    spec: TrialSpec, reports: Sequence[EpochReport], status: TrialStatus, reason: str, trace: str
) -> TrialResult:
    """What a trial came to, from its reports: the best epoch counts, not the last one."""
    sign = 1.0 if spec.metric.mode == "max" else -1.0
    best = max(reports, key=lambda report: sign * report.score, default=None)
    failed = status == "failed"
    planned = max((report.planned for report in reports), default=0)
    if best is None and not failed:
        reason = f"{reason}, before its first epoch was over"
    return TrialResult(
        number=spec.number,
        status=status,
        model=spec.card.name,
        backend=spec.backend,
        recipe=msgspec.structs.replace(spec.recipe, epochs=planned or spec.recipe.epochs),
        score=best.score if best and not failed else None,
        metrics=best.metrics if best and not failed else {},
        best_epoch=best.epoch if best else 0,
        epochs=reports[-1].epoch if reports else 0,
        seconds=reports[-1].seconds if reports else 0.0,
        reason=reason,
        traceback=trace,
        folder=spec.folder if best and not failed else "",
    )
