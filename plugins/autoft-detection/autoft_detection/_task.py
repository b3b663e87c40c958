"""`ObjectDetection`: what boxes mean, how they are encoded, and how good predictions are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autoft.api import DataError, Dataset, Output, Problem, Sample, Scalar, Schema
from autoft_detection import _classes, _dense, _metrics

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

CONFIDENCE = 0.3
"""Boxes with a lower score are not shown. Metrics take them all, as COCO's do."""


class ObjectDetection:
    """Boxes and classes of the things in an image."""

    name = "object-det"
    modality = "image"
    inputs = ("image",)
    targets = ("boxes",)
    metrics = _metrics.METRICS

    def schema(self, dataset: Dataset) -> Schema:
        """The classes in natural order; `extra` keeps the number of boxes of each ("counts") and sentences ("warnings").

        Raises:
            DataError: no image has a box that can be learned from.
        """
        sizes = _classes.count(dataset)
        extra = {"counts": list(sizes.values()), "warnings": _classes.warnings(sizes)}
        return Schema(task=self.name, classes=tuple(sizes), extra=extra)

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """The rarest class in each image; rare words are one, so that a handful of images does not decide the split."""
        return _classes.strata(dataset)

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """Centres and sides as dense maps (see `_dense`)."""
        heat = Output(
            name="heat", head="dense", size=len(schema.classes), loss="heatmap", post="sigmoid", target="heat"
        )
        sides = Output(name="sides", head="dense", size=4, loss="mae", post="identity", target="sides")
        return (
            Problem(name="centres", inputs=self.inputs, outputs=(heat, sides), encoder="autoft_detection._dense:encode"),
        )

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """`boxes` float32 (n, m, 5): x1, y1, x2, y2 in fractions of the sides, class code; -1 in empty rows.

        Raises:
            DataError: a class is not one of those that the search started with.
        """
        index = {name: number for number, name in enumerate(schema.classes)}
        boxes = np.full((len(samples), max([1, *(len(s.fields.get("boxes", ())) for s in samples)]), 5), -1, np.float32)
        for row, sample in enumerate(samples):
            width, height = sample.fields["size"]
            for place, (x1, y1, x2, y2, name, *flag) in enumerate(sample.fields.get("boxes", ())):
                if name not in index:
                    raise _classes.unknown(sample.id, name, schema.classes)
                code = _dense.ignored(index[name]) if flag else index[name]
                boxes[row, place] = x1 / width, y1 / height, x2 / width, y2 / height, code
        return {"boxes": boxes}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`boxes` float32 (n, k, 6), best first: x1, y1, x2, y2 in fractions, score, class index; -1 in empty rows."""
        return {"boxes": _dense.decode(outputs["heat"], outputs["sides"])}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics of COCO; NaN where the truth has no boxes."""
        return _metrics.compute(list(names), decoded["boxes"], targets["boxes"], len(schema.classes))

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction` in words (`3 cats, ...` as `cat 3, dog 1`), `boxes`, how many, and the best `confidence`."""
        for boxes in decoded["boxes"]:
            shown = boxes[boxes[:, 4] >= CONFIDENCE]
            counts = Counter(schema.classes[int(kind)] for kind in shown[:, 5])
            words = ", ".join(f"{name} {number}" for name, number in counts.most_common())
            best = float(boxes[0, 4]) if boxes[0, 5] >= 0 else 0.0
            yield {"prediction": words or "nothing", "boxes": len(shown), "confidence": best}
