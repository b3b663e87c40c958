"""`ObjectDetection`: what boxes mean, how they are encoded, and how good predictions are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from autoft.api import Dataset, Output, Problem, Sample, Scalar, Schema
from autoft_detection import _classes, _confidence, _dense, _metrics, _most, _settle, _sides

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]


class ObjectDetection:
    """Boxes and classes of the things in an image. Implements `Task`, `Counting`, `Detailed`, `Calibrated`,
    `Exporting`, `Itemizing` and `Piecewise`."""

    name = "object-det"
    modality = "image"
    inputs = ("image",)
    targets = ("boxes",)
    metrics = _metrics.METRICS

    def schema(self, dataset: Dataset) -> Schema:
        """The classes in natural order; `extra` keeps their boxes' number ("counts"), sentences ("warnings"), and how
        many boxes of an image are kept ("most") and the side at which they are seen ("image_size").

        Raises:
            DataError: no image has a box that can be learned from.
        """
        sizes = _classes.count(dataset)
        fullest, side, picture = _most.largest(dataset), _sides.typical(dataset), _sides.pictures(dataset)
        said = [*_classes.warnings(sizes), *_most.warnings(fullest), *_sides.warnings(side, picture)]
        extra = {
            "counts": list(sizes.values()),
            "warnings": said,
            _most.KEY: _most.limit(fullest),
            _sides.KEY: _sides.suited(side, picture),
        }
        return Schema(task=self.name, classes=tuple(sizes), extra=extra)

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """The rarest class in each image; rare words are one, so that a handful of images does not decide the split."""
        return _classes.strata(dataset)

    def counts(self, dataset: Dataset) -> Sequence[int]:
        """Boxes that are scored; of one image no more than a few."""
        return _classes.worth(dataset)

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """Boxes, by a network with a head and a loss for them; by others, centres and sides as maps (`_dense`)."""
        boxes = Output(
            name="boxes",
            head="boxes",
            size=len(schema.classes),
            loss="native",
            post="identity",
            target="boxes",
            most=max(_most.GIVEN, _most.SPARE * _most.of(schema)),
        )
        heat = Output(
            name="heat", head="dense", size=len(schema.classes), loss="heatmap", post="sigmoid", target="heat"
        )
        sides = Output(name="sides", head="dense", size=4, loss="mae", post="identity", target="sides")
        return (
            Problem(name="boxes", inputs=self.inputs, outputs=(boxes,)),
            Problem(
                name="centres", inputs=self.inputs, outputs=(heat, sides), encoder="autoft_detection._dense:encode"
            ),
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
                code = int(_dense.ignored(index[name])) if flag else index[name]
                boxes[row, place] = x1 / width, y1 / height, x2 / width, y2 / height, code
        return {"boxes": boxes}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`boxes` float32 (n, k, 6), best first: x1, y1, x2, y2 in fractions, score, class index; -1 in empty rows.

        Doubles among them: see `settled`.
        """
        if "boxes" in outputs:
            return {"boxes": outputs["boxes"]}
        return {"boxes": _dense.decode(outputs["heat"], outputs["sides"], _most.SPARE * _most.of(schema))}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics of COCO; NaN where the truth has no boxes."""
        return _metrics.compute(list(names), decoded["boxes"], targets["boxes"], len(schema.classes))

    def details(self, decoded: Arrays, targets: Arrays, schema: Schema) -> dict[str, float]:
        """The mAP of each class, where there are several."""
        values = _metrics.by_class(decoded["boxes"], targets["boxes"], len(schema.classes))
        return {f"map:{name}": value for name, value in zip(schema.classes, values, strict=True)} if values[1:] else {}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction` in words (`cat 3, dog 1`), `boxes`, how many, and the best `confidence`."""
        for boxes in decoded["boxes"]:
            shown = boxes[boxes[:, 5] >= 0]
            counts = Counter(schema.classes[int(kind)] for kind in shown[:, 5])
            words = ", ".join(f"{name} {number}" for name, number in counts.most_common())
            best = float(shown[:, 4].max(initial=0.0))
            yield {"prediction": words or "nothing", "boxes": len(shown), "confidence": best}

    def calibrate(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Schema:
        """`extra["calibrated"]`: `nms`, the overlap from which on a box is a double of a better one, by mAP; then
        `confidence`, the score at which precision and recall are best together."""
        boxes, most = decoded["boxes"], _most.of(schema)
        limit = _settle.best(boxes, targets["boxes"], len(schema.classes), most)
        confidence = _confidence.best(_settle.settle(boxes, limit, most), targets["boxes"])
        found = {"nms": limit, "confidence": confidence}
        return msgspec.structs.replace(schema, extra={**schema.extra, "calibrated": found})

    def settled(self, decoded: Arrays, schema: Schema) -> Arrays:
        """Without doubles, as `calibrate` found best; as many boxes of an image as the schema says."""
        limit = _calibrated(schema).get("nms", _settle.NMS)
        return {"boxes": _settle.settle(decoded["boxes"], limit, _most.of(schema))}

    def above(self, decoded: Arrays, schema: Schema, confidence: float | None) -> Arrays:
        """The boxes whose score is at least `confidence`, or that found on validation."""
        least = _calibrated(schema).get("confidence", _confidence.DEFAULT) if confidence is None else confidence
        boxes = decoded["boxes"]
        return {"boxes": np.where(boxes[..., 4:5] >= least, boxes, np.float32(-1))}

    def export(self, decoded: Arrays, samples: Sequence[Sample], schema: Schema, folder: Path) -> Sequence[str]:
        """COCO JSON, a table with a row for each box, and pictures with the boxes drawn in."""
        return self.export_parts([(decoded, samples)], [sample.id for sample in samples], schema, folder)

    def export_parts(
        self, parts: Iterable[tuple[Arrays, Sequence[Sample]]], names: Sequence[str], schema: Schema, folder: Path
    ) -> Sequence[str]:
        """The same of boxes that come part by part."""
        from autoft_detection._export import export

        return export(((part["boxes"], samples) for part, samples in parts), schema, folder)

    def items(self, decoded: Arrays, samples: Sequence[Sample], schema: Schema) -> Iterator[dict[str, Any]]:
        """`detections`: `class`, `confidence`, `x1`, `y1`, `x2`, `y2` of each box, in pixels of the upright picture."""
        from autoft_detection._export import items

        for boxes, sample in zip(decoded["boxes"], samples, strict=True):
            yield {"detections": items(boxes, sample, schema)}


def _calibrated(schema: Schema) -> Mapping[str, float]:
    found: Mapping[str, float] = schema.extra.get("calibrated", {})
    return found
