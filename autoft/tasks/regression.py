"""`Regression`: what numbers mean, how they are encoded, and how near predictions come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from autoft.errors import DataError
from autoft.records import Dataset, Metric, Output, Problem, Sample, Scalar, Schema

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

METRICS: Final = (
    Metric(name="r2", best=1.0, summary="share of the variance that is explained; 0 is what the mean alone gives"),
    Metric(name="rmse", mode="min", best=0.0, summary="root of the mean squared error, in the target's own units"),
    Metric(name="mae", mode="min", best=0.0, summary="mean absolute error, in the target's own units"),
    Metric(name="spearman", best=1.0, summary="rank correlation of prediction and truth"),
)
LOSSES: Final = ("mse", "huber", "mae")
BINS: Final = 10
"""Parts of the range, by quantiles, of which each split gets its share."""
TAIL: Final = 1.0
"""A skewness above this makes the logarithm the better scale for targets that are never negative."""


class Regression:
    """One number per sample. A task inherits from it, says its name and what goes in, and has all of `contracts.Task`.

    Networks learn the target less its mean, divided by its deviation; where it has a long tail, that of its logarithm.
    """

    name: str
    modality: str
    inputs: tuple[str, ...]
    targets: tuple[str, ...] = ("value",)
    metrics: tuple[Metric, ...] = METRICS

    def schema(self, dataset: Dataset) -> Schema:
        """`extra` keeps the scale: "log", "mean", "deviation".

        Raises:
            DataError: a number is missing, or all are the same.
        """
        values = np.sort(_values(dataset.samples))
        if len(values) < 2 or values[0] == values[-1]:
            found = f"all {len(values)} are {values[0]:g}" if len(values) else "there is none"
            raise DataError(
                f"regression needs targets that differ, but {found}.",
                "Name the column with the number: --target COLUMN",
            )
        log = bool(values[0] >= 0 and _skewness(values) > TAIL)
        scaled = np.log1p(values) if log else values
        extra: dict[str, Any] = {"log": log, "mean": float(scaled.mean()), "deviation": float(scaled.std())}
        return Schema(task=self.name, extra=extra)

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """Which tenth of the range each number lies in, fewer for small sets."""
        values = _values(dataset.samples)
        bins = max(1, min(BINS, len(values) // 10))
        edges = np.quantile(values, np.arange(1, bins) / bins)
        return [str(place) for place in np.searchsorted(edges, values, side="right").tolist()]

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """One way for each loss."""
        return tuple(
            Problem(
                name=loss,
                inputs=self.inputs,
                outputs=(Output(name="value", head="pooled", size=1, loss=loss, post="identity", target="value"),),
            )
            for loss in LOSSES
        )

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """`value` float32 (n, 1), scaled.

        Raises:
            DataError: a number is missing.
        """
        extra, values = schema.extra, _values(samples)
        scaled = np.log1p(np.maximum(values, 0)) if extra["log"] else values
        return {"value": ((scaled - extra["mean"]) / extra["deviation"]).astype(np.float32)[:, None]}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`value` float64 (n,), in the target's own units."""
        return {"value": unscaled(np.asarray(outputs["value"], np.float64)[:, 0], schema)}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics; NaN without rows, and where the truth does not vary for those that divide by it."""
        truth = unscaled(np.asarray(targets["value"], np.float64)[:, 0], schema)
        return {name: compute(name, np.asarray(decoded["value"]), truth) for name in names}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction`."""
        for value in decoded["value"].tolist():
            yield {"prediction": value}


def unscaled(values: Array, schema: Schema) -> Array:
    """Numbers in the target's own units, of numbers that a network learns."""
    scaled = values * schema.extra["deviation"] + schema.extra["mean"]
    # A network's slip must not become infinite.
    return np.asarray(np.expm1(np.clip(scaled, 0, 700)) if schema.extra["log"] else scaled)


def compute(name: str, found: Array, truth: Array) -> float:
    """One metric of predictions and the truth, each (n,)."""
    if not len(truth):
        return float("nan")
    far = found - truth
    if name == "mae":
        return float(np.abs(far).mean())
    if name == "rmse":
        return float(np.sqrt((far**2).mean()))
    spread = float(((truth - truth.mean()) ** 2).sum())
    if name == "r2":
        return 1 - float((far**2).sum()) / spread if spread else float("nan")
    if not spread:
        return float("nan")
    ranks = [_ranks(found), _ranks(truth)]
    if not ranks[0].std():
        return 0.0  # the same prediction for all says nothing about their order
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: Array) -> Array:
    """Places in order; equal numbers share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray(((ends - counts + ends - 1) / 2)[inverse])


def _values(samples: Sequence[Sample]) -> Array:
    """
    Raises:
        DataError: a sample has none.
    """
    for sample in samples:
        if sample.fields.get("value") is None:
            raise DataError(
                f"every sample needs a number, but '{sample.id}' has none.", "Name its column: --target COLUMN"
            )
    return np.array([sample.fields["value"] for sample in samples], np.float64)


def _skewness(values: Array) -> float:
    """The third standardised moment."""
    return float((((values - values.mean()) / values.std()) ** 3).mean())
