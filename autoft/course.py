"""What an epoch means for its trial: whether it failed, whether it is the best so far, whether it is the last; and for
how many epochs its configuration runs once more."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from autoft.errors import TrialFailed
from autoft.recipe import Recipe
from autoft.records import EpochReport, Metric

OUT_OF_TIME: Final = "out of time"
FEWEST: Final = 5
"""Epochs in which a rate that falls to its end does some good (docs/adr/0056-schedules-end.md)."""
SHORTEST: Final = 2
"""Epochs that a trial plans for at least, whatever it may plan for, where they fit before its deadline."""
LEAST: Final = 0.1
"""Part of an epoch below which another one is not worth its validation."""


def check(metric: Metric, epoch: int, score: float, loss: float) -> None:
    """
    Raises:
        TrialFailed: the loss or the score is not a finite number.
    """
    if not math.isfinite(score):
        raise TrialFailed(f"{metric.name} must be a finite number, but epoch {epoch} gave {score}.")
    if not math.isfinite(loss):  # JSON knows no NaN, so it must not go into a report
        raise TrialFailed(f"the training loss must be a finite number, but epoch {epoch} gave {loss}.")


def better(metric: Metric, score: float, best: float) -> bool:
    """Whether a score is better than the best one so far, which is NaN before the first."""
    if math.isnan(best):
        return True
    return metric.sign * score > metric.sign * best


def leading(metric: Metric, score: float, best: float) -> bool:
    """Whether an epoch with this score is the best so far. Of equal ones the last is: its rate is the lowest. Patience
    counts from the first of them (`better`), so that nothing trains longer for it."""
    return score == best or better(metric, score, best)


def leader(metric: Metric, reports: Iterable[EpochReport]) -> EpochReport | None:
    """That of the best epoch, as `leading` has it; None without any."""
    best: EpochReport | None = None
    for report in reports:
        if leading(metric, report.score, best.score if best else math.nan):
            best = report
    return best


def repeated(recipe: Recipe, best_epoch: int) -> Recipe:
    """The recipe of a run that does once more what a trial of this recipe did up to its best epoch.

    Its schedule comes to its end where the run does, in at least `FEWEST` epochs: a trial that patience ends has its
    best epoch near the peak of its rate. Where the first epoch was the best, training on made it worse; a constant rate
    has no end to come to; what is solved takes no steps. Nothing stops it early.
    """
    plain = best_epoch < 2 or recipe.schedule == "constant" or recipe.optimizer == "solve"
    epochs = best_epoch if plain else min(recipe.epochs, max(best_epoch, FEWEST))
    return msgspec.structs.replace(recipe, epochs=max(1, epochs), patience=0)


def ended(recipe: Recipe, epoch: int, epochs: float, since: int, late: bool) -> str:
    """Why this epoch is the last one, or empty.

    Args:
        epochs: that are planned.
        since: the epoch from which patience counts.
        late: there is no time for another one.
    """
    if late:
        return OUT_OF_TIME
    if epoch >= epochs:
        return "all epochs done"
    if recipe.patience and epoch - since >= recipe.patience:
        return f"no better score for {recipe.patience} epochs"
    return ""


def fitting(
    allowance: float,
    training: float,
    validation: float = 0.0,
    left: float = math.inf,
    done: int = 0,
    settling: float = 0.0,
) -> float:
    """Epochs, with those that are done, for which there is time when one more begins.

    A whole number of at least two, where so many fit; else as much of them as there is time for, each validated at its
    end: a model that has seen a part of the samples is one.

    Args:
        allowance: seconds that the trial may still plan for.
        training, validation: seconds of an epoch.
        left: seconds until the trial must have ended.
        settling: seconds behind the training of a whole epoch; one that ends early takes nearly none of them.
    """
    training = max(training, 1e-6)
    whole = done + int(min(allowance, left) / (training + settling + validation))
    if whole >= SHORTEST:
        return whole
    part = (left - validation) / training
    if part > 1:
        part = max(1.0, (left - 2 * validation - settling) / training)
    part = 1.0 if 1 < part < 1 + LEAST else max(0.0, part)
    return min(SHORTEST, done + part)
