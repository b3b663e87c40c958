"""The configuration that a search has chosen, trained once more on all samples that are not test.

What decides between configurations must not be learned from; once that is decided, those samples would lie idle. The
new model is trained for as many epochs as were best before, its schedule to the end (`course.repeated`), and all that
was settled on validation (thresholds, a beam) stays as it was settled then: this model has seen the samples that it
could be settled on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from autoft import leeway
from autoft.course import OUT_OF_TIME, repeated
from autoft.datarecords import EVERYTHING
from autoft.errors import TrialFailed
from autoft.records import Record, Schema, TrialResult, TrialSpec, from_json, to_json
from autoft.trial import Trial

NAME: Final = "refit"
"""Of its folder, beside those of trials."""


class RefitJob(Record):
    """Asks another process for `fit`."""

    spec: TrialSpec
    """The model is kept after the last epoch of its recipe."""
    before: float
    """The trial's score on the samples that validated: whoever has learned from them must not be clearly worse than
    whoever has not."""
    out: str = ""
    """File of this machine in which `write_fit` leaves its `Refitted`."""


class Refitted(Record):
    """What the new model scores on the samples that validated its trial."""

    score: float
    before: float
    """The trial's own, which had not learned from them."""
    allowed: float
    """How far behind that it could be (`leeway.allowed`)."""
    rows: int
    """Samples that were scored."""


def job(spec: TrialSpec, result: TrialResult, schema: Schema, folder: str, deadline: float, out: str = "") -> RefitJob:
    """What is to be done for this trial and its result.

    Args:
        schema: with what was settled by its predictions for the validation part.
        folder: where the model goes.
        out: as in `RefitJob`.
    """
    return RefitJob(
        spec=msgspec.structs.replace(
            spec,
            schema=schema,
            folder=folder,
            deadline=deadline,
            allowance=0.0,
            division=EVERYTHING,
            scored=result.division,
            recipe=repeated(result.recipe, result.best_epoch),
        ),
        before=result.score if result.score is not None else 0.0,
        out=out,
    )


def fit(payload: str) -> Refitted:
    """Do a `RefitJob`.

    Raises:
        TrialFailed: time was over, or the new model is clearly worse on what it has learned than the old one was.
    """
    wanted = from_json(payload, RefitJob)
    epochs = wanted.spec.recipe.epochs
    trial = Trial(wanted.spec)
    report = trial.step()
    while report.complete and report.epoch < epochs and report.done != OUT_OF_TIME:
        report = trial.step()
    if not report.complete or report.epoch < epochs:
        raise TrialFailed(f"time was over in epoch {report.epoch} of {epochs}")
    metric, rows = wanted.spec.metric, sum(len(part.val) for part in trial.parts)
    found = Refitted(
        score=report.score,
        before=wanted.before,
        allowed=leeway.allowed(metric, wanted.before, rows),
        rows=rows,
    )
    if metric.sign * found.score < metric.sign * found.before - found.allowed:
        raise TrialFailed(
            f"having learned from the validation samples too, it does worse on them ({metric.name} {found.score:.4g}) "
            f"than the trial that had not ({found.before:.4g}), by more than the {found.allowed:.2g} that chance "
            f"explains with {rows:,} samples"
        )
    trial.keep(wanted.before)
    return found


def write_fit(payload: str) -> None:
    """Do a `RefitJob`, and write what came of it into its file."""
    found = fit(payload)
    Path(from_json(payload, RefitJob).out).write_text(to_json(found), encoding="utf-8")
