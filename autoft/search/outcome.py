"""What a trial is and what it came to: from its configuration, its reports, or the exception that ended it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from autoft import course, remote
from autoft.contracts import Searcher
from autoft.errors import TrialFailed
from autoft.prefix import LATE
from autoft.recipe import Recipe
from autoft.records import (
    EpochReport,
    Metric,
    Param,
    Record,
    TrialResult,
    TrialSpec,
    TrialStatus,
    from_json,
    trial_name,
)

FEWER: Final = (
    "try a smaller batch_size or image_size, or fewer trials at a time: a lower --concurrency, on each node of a "
    "cluster a --memory-per-trial, or a higher --cpus-per-trial."
)
"""What may help where memory is short."""


class Failure(Record):
    """An exception as words, to cross a process border."""

    reason: str
    traceback: str
    lost: bool = False
    """Its process died: not what its configuration did."""


class TrialLost(Exception):
    """A trial has lost its process, or its state: not what its configuration did, so it may be tried again."""

    def __init__(self, reason: str, trace: str = "") -> None:
        super().__init__(reason, trace)  # both, so that they survive pickling
        self.failure = Failure(reason=reason, traceback=trace or reason, lost=True)


def failure_of(error: Exception) -> Failure:
    """The first line for tables, and the traceback for those who look."""
    hint = getattr(error, "hint", "")
    reason = str(error) if isinstance(error, TrialFailed) else f"{type(error).__name__}: {error}"
    words = f"{reason} {hint}".strip() or type(error).__name__
    return Failure(reason=words.splitlines()[0], traceback="".join(traceback.format_exception(error)))


def result_of(
    spec: TrialSpec, reports: Sequence[EpochReport], status: TrialStatus, reason: str, trace: str
) -> TrialResult:
    """What a trial came to, from its reports: the best epoch counts (`course.leader`)."""
    if status == "failed" and reason == LATE:
        status, reason, trace = "stopped", course.OUT_OF_TIME, ""  # nothing is wrong with it
    best = course.leader(spec.metric, reports)
    failed = status == "failed"
    planned, chosen = (reports[-1].planned, reports[-1].precision) if reports else (0, "")
    if best is None and not failed:
        reason = f"{reason}, before its first epoch was over"
    return TrialResult(
        number=spec.number,
        status=status,
        model=spec.recipe.model or spec.card.name,  # the recipe tells networks of one name apart by their backends
        backend=spec.backend,
        recipe=msgspec.structs.replace(
            spec.recipe, epochs=planned or spec.recipe.epochs, precision=chosen or spec.recipe.precision
        ),
        score=best.score if best and not failed else None,
        metrics=best.metrics if best and not failed else {},
        combined=best.combined if best and not failed else None,
        finer=best.finer if best and not failed else None,
        best_epoch=best.epoch if best else 0,
        epochs=reports[-1].epoch if reports else 0,
        seconds=reports[-1].seconds if reports else 0.0,
        reason=reason,
        traceback=trace,
        history=tuple(reports),
        ended=time.time(),
        folder=spec.folder if best and not failed else "",
        start=spec.start,
        seed=spec.seed,
        division=spec.division,
    )


def tell(searcher: Searcher, result: TrialResult) -> None:
    """Tell a searcher how the trial that it proposed has ended."""
    searcher.tell(result.number, result.score, [report.score for report in result.history])


def spec_of_config(config: Mapping[str, Any], number: int) -> TrialSpec:
    """The trial that a configuration describes.

    Population based training gives a trial the whole configuration of a better one, whose weights it takes up,
    and changes `params`. The trial goes on under its own number and in its own folder.
    """
    spec = from_json(config["trial"]["spec"], TrialSpec)
    folder = remote.sibling(spec.folder, trial_name(number)) if spec.folder else ""
    recipe = Recipe.of({**spec.recipe.flat(), **config["params"]})
    return msgspec.structs.replace(spec, number=number, folder=folder, recipe=recipe)


def number_of(trial: object) -> int:
    """Ours, of one of Ray's trials, by its name. Not read from its configuration: see `spec_of_config`."""
    return int(str(trial))


def leads(report: EpochReport, earlier: Sequence[EpochReport], metric: Metric) -> bool:
    """Whether an epoch is the best so far (`course.leading`)."""
    return all(course.leading(metric, report.score, other.score) for other in earlier)


def within(params: Mapping[str, Any], space: Sequence[Param]) -> dict[str, Any]:
    """The parameters, those that were changed beyond their range brought back to its end."""
    limits: dict[str, tuple[float, float]] = {}
    for param in space:
        if param.kind != "choice":
            low, high = limits.get(param.key, (param.low, param.high))
            limits[param.key] = min(low, param.low), max(high, param.high)
    return {
        key: min(max(value, limits[key][0]), limits[key][1]) if key in limits else value
        for key, value in params.items()
    }
