"""`Regression`: one number per sample, whatever the sample is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from autoft.errors import DataError
from autoft.records import Dataset, Metric, Output, Problem, Sample, Scalar, Schema
from autoft.tasks import means, numbers

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

LOSSES = ("mse", "mae", "huber")
PLAIN, LOG = "value", "log_value"
"""Keys of encoded targets, and of their scales in `Schema.extra`."""
AIM = "aim"
"""Key of the metric's name in `Schema.extra`."""
MEANS = ("r2", "rmse")
"""Metrics that a prediction is best for which is the mean of what may be."""
SHOWN = 3
"""Values that a warning lists."""
SAID = "said"
"""Key of what a model says in settled predictions."""


class Regression:
    """Says everything but what a sample consists of: a task of another modality names `name`, `modality`, `inputs`.

    Implements `Task`, `Calibrated` and `Aimed`.
    """

    name = ""
    modality = ""
    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("value",)
    metrics: tuple[Metric, ...] = numbers.METRICS

    def schema(self, dataset: Dataset) -> Schema:
        """`extra` keeps mean and deviation ("value"), and those of log1p ("log_value") where the tail is heavy.

        Samples that the data themselves call test are left out of both.

        Raises:
            DataError: a target is no number, or all are the same.
        """
        samples = [s for s in dataset.samples if s.split != "test"]
        values = np.array([numbers.value(s) for s in samples], np.float64)
        if not len(values) or values.min() == values.max():
            found = f"all of them are {values[0]:g}" if len(values) else "there is none"
            raise DataError(
                f"regression needs numbers that differ, but {found} in {dataset.root}.",
                "Name the column of numbers with --target.",
            )
        extra: dict[str, Any] = {PLAIN: list(numbers.scale(values)[:2]), "warnings": _warnings(values, samples)}
        if numbers.heavy_tailed(values):
            scale = numbers.scale(values, log=True)
            extra[LOG] = [scale.mean, scale.deviation, scale.high]
        return Schema(task=self.name, extra=extra)

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """The quantile bin of each sample's number."""
        return numbers.bins([numbers.value(sample) for sample in dataset.samples])

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """Each loss on standardised targets; where a tail is heavy also on their logarithm, which then comes first."""
        keys = (LOG, PLAIN) if LOG in schema.extra else (PLAIN,)
        return tuple(
            Problem(
                name=f"log_{loss}" if key == LOG else loss,
                inputs=self.inputs,
                outputs=(Output(name="value", head="pooled", size=1, loss=loss, post="identity", target=key),),
            )
            for key in keys
            for loss in LOSSES
        )

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """Scaled numbers, float32 (n, 1).

        Raises:
            DataError: a target is no number, or negative where logarithms are learned.
        """
        key = problem.outputs[0].target
        values = np.array([numbers.value(sample) for sample in samples], np.float64)
        for sample, number in zip(samples, values.tolist(), strict=True):
            if key == LOG and number <= -1:
                raise DataError(f"{problem.name} needs numbers above -1, but '{sample.id}' has {number:g}.")
        return {key: _scale(schema, key).apply(values)[:, None]}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`value` float64 (n,), in the target's units."""
        return {"value": _scale(schema, problem.outputs[0].target).predicted(np.asarray(outputs["value"])[:, 0])}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics, in the target's units."""
        truth = self._truth(targets, schema)
        return {name: numbers.compute(name, decoded["value"], truth) for name in names}

    def aimed(self, schema: Schema, metric: str) -> Schema:
        """What is set on validation depends on it: a mean for r2 and rmse; a median stays one for the others."""
        return msgspec.structs.replace(schema, extra={**schema.extra, AIM: metric})

    def calibrate(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Schema:
        """`extra["calibrated"]`: `slope` and `offset`, which make the mean that may be expected of what a model says.
        Nothing where the metric asks for another number than the mean."""
        if schema.extra.get(AIM, MEANS[0]) not in MEANS:
            return schema
        found = means.line(decoded.get(SAID, decoded["value"]), self._truth(targets, schema), LOG in targets)
        return msgspec.structs.replace(schema, extra={**schema.extra, "calibrated": found._asdict()})

    def settled(self, decoded: Arrays, schema: Schema) -> Arrays:
        """`value` as `calibrate` has it, and what the model said."""
        said = decoded.get(SAID, decoded["value"])
        return {"value": means.Line(**schema.extra.get("calibrated", {})).apply(said), SAID: said}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction`, a number."""
        for number in decoded["value"].tolist():
            yield {"prediction": number}

    def _truth(self, targets: Arrays, schema: Schema) -> Array:
        """In the target's units."""
        key = LOG if LOG in targets else PLAIN
        return _scale(schema, key).undo(np.asarray(targets[key])[:, 0])


def _warnings(values: Array, samples: Sequence[Sample]) -> list[str]:
    """That a few values decide what a score is, in a sentence."""
    far, share = numbers.ruling(values)
    if not far:
        return []
    shown = ", ".join(f"{values[place]:g} ('{samples[place].id}')" for place in far[:SHOWN])
    more = f" and {len(far) - SHOWN} more" if len(far) > SHOWN else ""
    said = (
        f"{len(far)} of {len(values):,} values are far from all others and make {int(100 * share)} % of the variance, "
        f"which is what r2 and rmse count: {shown}{more}; the middle is {np.median(values):g}. If they are mistakes, "
        "correct or remove them; else --metric mae or spearman heeds the others more."
    )
    return [said]


def _scale(schema: Schema, key: str) -> numbers.Scale:
    mean, deviation, *high = schema.extra[key]
    return numbers.Scale(mean, deviation, True, high[0]) if key == LOG else numbers.Scale(mean, deviation)
