"""`MultiLabel`: any number of labels per sample, whatever the sample is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from autoft.errors import DataError
from autoft.names import listed, natural
from autoft.records import Dataset, Metric, Output, Problem, Sample, Scalar, Schema
from autoft.tasks import labelmetrics, strata, thresholds
from autoft.vocab import did_you_mean

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

LOSSES = ("binary_cross_entropy", "focal")
EMPTY = "no label"
BETWEEN = "|"
"""Between the labels of a prediction: the first mark that the reader of tables looks for."""
FEW = 10
"""Labels of fewer samples are named."""
THRESHOLD = "threshold:"


class MultiLabel:
    """Says everything but what a sample consists of: a task of another modality names `name`, `modality`, `inputs`.

    Implements `Task`, `Calibrated` and `Detailed`.
    """

    name = ""
    modality = ""
    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("labels",)
    metrics: tuple[Metric, ...] = labelmetrics.METRICS

    def schema(self, dataset: Dataset) -> Schema:
        """The labels in natural order; `extra` keeps their sizes ("counts") and sentences for the user ("warnings").

        Raises:
            DataError: labels are missing, or no label tells one sample from another.
        """
        several = [_labels(sample) for sample in dataset.samples]
        sizes = Counter(name for names in several for name in names)
        if all(number == len(several) for number in sizes.values()):
            found = f"all {len(several)} samples have {listed(natural(sizes))}" if sizes else "no sample has any"
            raise DataError(
                f"there must be a label that some samples have and others lack, but {found} in {dataset.root}.",
                "Name the column with the labels, or all columns of 0 and 1: --target COLUMN or --target COLUMN,COLUMN",
            )
        counts = {name: sizes[name] for name in natural(sizes)}
        warnings = _warnings(counts, several)
        return Schema(
            task=self.name, classes=tuple(counts), extra={"counts": list(counts.values()), "warnings": warnings}
        )

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """The rarest label of each sample; rare words are one."""
        return strata.rarest([_labels(sample) for sample in dataset.samples], EMPTY)

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """A probability for each label on its own, by each loss."""
        return tuple(
            Problem(
                name=loss,
                inputs=self.inputs,
                outputs=(
                    Output(
                        name="labels",
                        head="pooled",
                        size=len(schema.classes),
                        loss=loss,
                        post="sigmoid",
                        target="labels",
                    ),
                ),
            )
            for loss in LOSSES
        )

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """`labels` float32 (n, labels): 1 where a sample has the label, else 0.

        Raises:
            DataError: labels are missing, or one is not among those that the search started with.
        """
        index = {name: number for number, name in enumerate(schema.classes)}
        found = np.zeros((len(samples), len(index)), np.float32)
        for row, sample in enumerate(samples):
            for name in _labels(sample):
                if name not in index:
                    raise _unknown(sample, name, schema.classes)
                found[row, index[name]] = 1
        return {"labels": found}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`probability` float32 (n, labels) and `chosen` bool (n, labels), those of one half and more."""
        return _choose(np.asarray(outputs["labels"], np.float32), np.full(len(schema.classes), thresholds.DEFAULT))

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics; labels that do not occur are left out of means."""
        truth = np.asarray(targets["labels"])
        return {name: labelmetrics.compute(name, decoded["probability"], decoded["chosen"], truth) for name in names}

    def details(self, decoded: Arrays, targets: Arrays, schema: Schema) -> dict[str, float]:
        """The average precision and the F1 of each label; NaN for one that does not occur."""
        truth = np.asarray(targets["labels"])
        values = {
            "ap": labelmetrics.average_precision(decoded["probability"], truth),
            "f1": labelmetrics.f1(decoded["chosen"], truth),
        }
        return {
            f"{word}:{name}": float(number)
            for word, numbers in values.items()
            for name, number in zip(schema.classes, numbers, strict=True)
        }

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction`, the chosen labels with `|` between them, then `p_<label>` for every label."""
        keys = [f"p_{name}" for name in schema.classes]
        for chosen, chances in zip(decoded["chosen"].tolist(), decoded["probability"].tolist(), strict=True):
            words = (name for name, yes in zip(schema.classes, chosen, strict=True) if yes)
            yield {"prediction": BETWEEN.join(words), **dict(zip(keys, chances, strict=True))}

    def calibrate(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Schema:
        """`extra["calibrated"]`: `threshold:<label>`, the probability from which on each label is chosen."""
        found = thresholds.best(decoded["probability"], np.asarray(targets["labels"]))
        named = {f"{THRESHOLD}{name}": value for name, value in zip(schema.classes, found, strict=True)}
        return msgspec.structs.replace(schema, extra={**schema.extra, "calibrated": named})

    def settled(self, decoded: Arrays, schema: Schema) -> Arrays:
        """Chosen by the thresholds that `calibrate` found; by one half where it found none."""
        known: Mapping[str, float] = schema.extra.get("calibrated", {})
        limits = [known.get(f"{THRESHOLD}{name}", thresholds.DEFAULT) for name in schema.classes]
        return _choose(decoded["probability"], np.array(limits))


def _choose(probability: Array, limits: Array) -> dict[str, Array]:
    return {"probability": probability, "chosen": probability >= limits}


def _labels(sample: Sample) -> list[str]:
    names = sample.fields.get("labels")
    if names is None:
        raise DataError(
            f"every sample needs its labels, none of them included, but '{sample.id}' has nothing that says so.",
            "Name the column with the labels, or all columns of 0 and 1: --target COLUMN or --target COLUMN,COLUMN",
        )
    return list(names)


def _warnings(counts: Mapping[str, int], several: Sequence[Sequence[str]]) -> list[str]:
    """What the user should know about the labels, in sentences."""
    said = []
    few = [name for name, number in counts.items() if number < FEW]
    if few:
        said.append(f"{listed(few)} {'is' if len(few) == 1 else 'are'} on fewer than {FEW} samples.")
    everywhere = [name for name, number in counts.items() if number == len(several)]
    if everywhere:
        said.append(
            f"{listed(everywhere)} {'is' if len(everywhere) == 1 else 'are'} on every sample: nothing to learn."
        )
    empty = sum(not names for names in several)
    mean = sum(counts.values()) / len(several)
    if empty:
        said.append(f"{empty} of {len(several)} samples have no label; the mean is {mean:.2g} labels.")
    if max(map(len, several)) == 1 and not empty:
        said.append("each sample has one label exactly: a task of one class per sample suits such data better.")
    return said


def _unknown(sample: Sample, name: str, classes: Sequence[str]) -> DataError:
    return DataError(
        f"labels must be among the {len(classes)} known ones, but '{sample.id}' has '{name}'."
        f"{did_you_mean(name, tuple(classes))} Known: {listed(classes)}.",
        "Validation and test data must use the labels of the training data, separated as they are there.",
    )
