"""The metrics of classification, over probabilities (n, classes), predicted and true class indices (n,)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from autoft.records import Metric
from autoft.tasks.sureness import sureness

Array = np.ndarray[Any, np.dtype[Any]]

SURE: Final = "sureness"
SURE_ALIKE: Final = "balanced_sureness"
"""What counts beside metrics on few samples; nobody is asked to choose by them."""


def metrics(things: str) -> tuple[Metric, ...]:
    """The metrics of one class per sample; `things` is the plural of what a sample is, such as images."""
    sure = Metric(name=SURE, best=1.0, together=True, summary=f"mean probability of the class that {things} have")
    alike = Metric(name=SURE_ALIKE, best=1.0, together=True, summary="the same, as the mean over classes")
    ranks = f"chance that one of the {things} of a class ranks above one of another class"
    return (
        Metric(
            name="accuracy",
            percent=True,
            best=1.0,
            share=True,
            together=True,
            finer=sure,
            summary=f"share of {things} whose class is predicted right",
        ),
        Metric(
            name="balanced_accuracy",
            percent=True,
            best=1.0,
            alike=True,
            together=True,
            finer=alike,
            summary="mean over classes of the share predicted right",
        ),
        Metric(
            name="macro_f1",
            best=1.0,
            alike=True,
            together=True,
            finer=alike,
            summary="mean over classes of the harmonic mean of precision and recall",
        ),
        Metric(name="log_loss", mode="min", together=True, summary="how surprised the probabilities are by the truth"),
        Metric(name="roc_auc", best=1.0, summary=ranks),
    )


class Rows(NamedTuple):
    """Predictions beside the truth."""

    probability: Array
    predicted: Array
    truth: Array


def compute(name: str, probability: Array, predicted: Array, truth: Array) -> float:
    """One metric; NaN where it does not apply: no rows, or for roc_auc a class without rows."""
    if not len(truth):
        return float("nan")
    if name == "accuracy":
        # Asked for after every epoch of every trial: numpy spares each worker the 2.7 s of importing sklearn.metrics.
        return float(np.mean(predicted == truth))
    if name in (SURE, SURE_ALIKE):
        sure = sureness(probability, truth)
        parts = [sure[truth == one] for one in np.unique(truth)] if name == SURE_ALIKE else [sure]
        return float(np.mean([part.mean() for part in parts]))
    return float(_SLOW[name](Rows(probability.astype(np.float64), predicted, truth)))


def _balanced_accuracy(rows: Rows) -> float:
    from sklearn.metrics import recall_score

    # Only classes that occur have a recall; a class that is only predicted would otherwise count as 0.
    return float(recall_score(rows.truth, rows.predicted, labels=np.unique(rows.truth), average="macro"))


def _macro_f1(rows: Rows) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(rows.truth, rows.predicted, average="macro", zero_division=0))


def _log_loss(rows: Rows) -> float:
    from sklearn.metrics import log_loss

    chances = rows.probability / rows.probability.sum(1, keepdims=True)  # 32-bit rows add up to 1 only nearly
    return float(log_loss(rows.truth, chances, labels=np.arange(chances.shape[1])))


def _roc_auc(rows: Rows) -> float:
    from sklearn.metrics import roc_auc_score

    classes = rows.probability.shape[1]
    if len(np.unique(rows.truth)) < classes:
        return float("nan")
    # One column per class, each against the rest (Provost and Domingos, 2000); two classes give the usual area.
    return float(roc_auc_score(np.eye(classes, dtype=np.int64)[rows.truth], rows.probability, average="macro"))


_SLOW = {"balanced_accuracy": _balanced_accuracy, "macro_f1": _macro_f1, "log_loss": _log_loss, "roc_auc": _roc_auc}
