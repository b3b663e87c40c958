"""`Classification`: what labels mean, how they are encoded, and how good predictions are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autoft.errors import DataError
from autoft.names import listed
from autoft.records import Dataset, Metric, Output, Problem, Sample, Scalar, Schema
from autoft.tasks import classes
from autoft.tasks.metrics import compute, metrics
from autoft.vocab import did_you_mean

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]


class Classification:
    """One class per sample. A task inherits from it, says its name and what goes in, and has all of
    `contracts.Task`."""

    name: str
    modality: str
    inputs: tuple[str, ...]
    targets: tuple[str, ...] = ("label",)
    metrics: tuple[Metric, ...] = metrics("samples")
    modules: tuple[str, ...] = ("sklearn.metrics",)

    def schema(self, dataset: Dataset) -> Schema:
        """The classes in natural order; `extra` keeps their sizes ("counts") and sentences for the user ("warnings").

        Raises:
            DataError: a label is missing, there are fewer than two classes, or each sample is a class of its own.
        """
        sizes = classes.count(dataset)
        extra = {"counts": list(sizes.values()), "warnings": classes.warnings(sizes)}
        return Schema(task=self.name, classes=tuple(sizes), extra=extra)

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """The label of each sample."""
        return [classes.label(sample) for sample in dataset.samples]

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """One probability per class, adding up to 1."""
        output = Output(
            name="label", head="pooled", size=len(schema.classes), loss="cross_entropy", post="softmax", target="label"
        )
        return (Problem(name="softmax", inputs=self.inputs, outputs=(output,)),)

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """Class indices, int64 (n,).

        Raises:
            DataError: a label is missing or is not one of the classes that the search started with.
        """
        index = {name: number for number, name in enumerate(schema.classes)}
        names = [classes.label(sample) for sample in samples]
        for sample, name in zip(samples, names, strict=True):
            if name not in index:
                raise _unknown(sample, name, schema.classes)
        return {"label": np.array([index[name] for name in names], dtype=np.int64)}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`probability` float32 (n, classes) and `index` int64 (n,), the most probable class."""
        probability = np.asarray(outputs["label"], dtype=np.float32)
        return {"probability": probability, "index": probability.argmax(axis=1).astype(np.int64)}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics, and no others: some cost seconds to import."""
        return {name: compute(name, decoded["probability"], decoded["index"], targets["label"]) for name in names}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction`, `confidence`, then `p_<class>` for every class."""
        keys = [f"p_{name}" for name in schema.classes]
        for index, chances in zip(decoded["index"].tolist(), decoded["probability"].tolist(), strict=True):
            details = dict(zip(keys, chances, strict=True))
            yield {"prediction": schema.classes[index], "confidence": chances[index], **details}


def _unknown(sample: Sample, name: str, classes: Sequence[str]) -> DataError:
    return DataError(
        f"labels must be among the {len(classes)} known classes, but '{sample.id}' has '{name}'."
        f"{did_you_mean(name, tuple(classes))} Known: {listed(classes)}.",
        "Validation and test data must use the class names of the training data.",
    )
