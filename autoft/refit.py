"""The configuration that a search has chosen, trained once more on all samples that are not test.

What decides between configurations must not be learned from; once that is decided, those samples would lie idle. The
new model is trained for as many epochs as were best before, its schedule to the end (`course.repeated`), and all that
was settled on validation (thresholds, a beam) stays as it was settled then: this model has seen the samples that it
could be settled on.
"""

from __future__ import annotations

from typing import Final

import msgspec

from autoft.course import OUT_OF_TIME, repeated
from autoft.datarecords import EVERYTHING
from autoft.errors import TrialFailed
from autoft.records import Record, Schema, TrialResult, TrialSpec, from_json
from autoft.trial import Trial

NAME: Final = "refit"
"""Of its folder, beside those of trials."""


class RefitJob(Record):
    """Asks another process for `fit`."""

    spec: TrialSpec
    """The model is kept after the last epoch of its recipe."""
    least: float
    """Score on the samples that validated: whoever has learned from them must not be worse than whoever has not."""


def job(spec: TrialSpec, result: TrialResult, schema: Schema, folder: str, deadline: float) -> RefitJob:
    """What is to be done for this trial and its result.

    Args:
        schema: with what was settled by its predictions for the validation part.
        folder: where the model goes.
    """
    return RefitJob(
        spec=msgspec.structs.replace(
            spec,
            schema=schema,
            folder=folder,
            deadline=deadline,
            allowance=0.0,
            division=EVERYTHING,
            recipe=repeated(result.recipe, result.best_epoch),
        ),
        least=result.score if result.score is not None else 0.0,
    )


def fit(payload: str) -> None:
    """Do a `RefitJob`.

    Raises:
        TrialFailed: time was over, or the new model is worse on what it has learned than the old one was.
    """
    wanted = from_json(payload, RefitJob)
    epochs = wanted.spec.recipe.epochs
    trial = Trial(wanted.spec)
    report = trial.step()
    while report.complete and report.epoch < epochs and report.done != OUT_OF_TIME:
        report = trial.step()
    if not report.complete or report.epoch < epochs:
        raise TrialFailed(f"time was over in epoch {report.epoch} of {epochs}")
    sign = wanted.spec.metric.sign
    if sign * report.score < sign * wanted.least:
        raise TrialFailed(
            f"what its {wanted.spec.metric.name} counts as on samples that it has learned is {report.score:.4g}, "
            f"but was {wanted.least:.4g} before it had"
        )
    trial.keep(wanted.least)
