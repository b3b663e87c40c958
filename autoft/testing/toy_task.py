"""`ToyTask`: the smallest complete task, on which backends are tested without the shipped tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autoft.errors import DataError
from autoft.records import Dataset, Metric, Output, Problem, Sample, Scalar, Schema

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]


class ToyTask:
    """One class per image; accuracy and log loss."""

    name = "toy"
    modality = "image"
    inputs: tuple[str, ...] = ("image",)
    targets: tuple[str, ...] = ("label",)
    metrics = (Metric(name="accuracy", percent=True, share=True), Metric(name="log_loss", mode="min"))

    def schema(self, dataset: Dataset) -> Schema:
        classes = tuple(sorted({sample.fields["label"] for sample in dataset.samples}))
        if len(classes) < 2:
            raise DataError(f"a toy needs at least 2 classes, but has {len(classes)}.")
        return Schema(task=self.name, classes=classes)

    def strata(self, dataset: Dataset) -> Sequence[str]:
        return [str(sample.fields["label"]) for sample in dataset.samples]

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        return (problem(len(schema.classes)),)

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        index = {name: k for k, name in enumerate(schema.classes)}
        for sample in samples:
            if sample.fields["label"] not in index:
                raise DataError(f"{sample.id} has the class '{sample.fields['label']}', not one of {', '.join(index)}.")
        return {"label": np.array([index[sample.fields["label"]] for sample in samples], np.int64)}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        return {"probability": outputs["label"], "index": outputs["label"].argmax(-1)}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        truth = targets["label"]
        if not len(truth):
            return {name: float("nan") for name in names}
        chosen = np.take_along_axis(decoded["probability"], truth[:, None], 1)
        known = {
            "accuracy": float((decoded["index"] == truth).mean()),
            "log_loss": float(-np.log(np.clip(chosen, 1e-7, 1)).mean()),
        }
        return {name: known[name] for name in names}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        for index, chances in zip(decoded["index"], decoded["probability"], strict=True):
            yield {"prediction": schema.classes[index], "confidence": float(chances[index])}


def problem(classes: int = 4, loss: str = "cross_entropy", post: str = "softmax", head: str = "pooled") -> Problem:
    """A one-output problem on images; the defaults are ToyTask's."""
    output = Output(name="label", head=head, size=classes, loss=loss, post=post, target="label")
    return Problem(name=loss, inputs=("image",), outputs=(output,))
