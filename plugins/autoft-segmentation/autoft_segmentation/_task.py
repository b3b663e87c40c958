"""`ImageSegmentation`: which classes masks have, how good predicted ones are, and what is told of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autoft.api import DataError, Dataset, Output, Problem, Sample, Scalar, Schema, did_you_mean, listed, natural
from autoft_segmentation import _metrics

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

LOSSES = ("ce_dice", "cross_entropy", "dice", "focal")
"""Best first: each is a formulation of its own."""
BACKGROUND = "background"
WORTH = 5
"""Things that a score counts in one image: it is over the pixels of all classes, which differ less from image to image
than what is right or wrong as a whole."""


class ImageSegmentation:
    """A class for each pixel. Masks come from the store, by the field `mask`."""

    name = "image-seg"
    modality = "image"
    inputs = ("image",)
    targets = ("mask",)
    metrics = _metrics.METRICS

    def schema(self, dataset: Dataset) -> Schema:
        """The classes that the masks name: background first, then in the order in which most masks list them.

        Raises:
            DataError: fewer than two.
        """
        orders: dict[tuple[str, ...], int] = {}
        for sample in dataset.samples:
            names = _names(sample)
            orders[names] = orders.get(names, 0) + 1
        # The longest list first; equal ones by their names, so that the order of files does not matter.
        ranked = sorted(orders, key=lambda names: (-len(names), -orders[names], names))
        classes = list(dict.fromkeys(name for names in ranked for name in names))
        if BACKGROUND in classes:
            classes = [BACKGROUND, *(name for name in classes if name != BACKGROUND)]
        if len(classes) < 2:
            raise DataError(
                f"segmentation needs at least 2 classes, but the masks of {dataset.root} have "
                f"{'only ' + repr(classes[0]) if classes else 'none'}.",
                "Is there a class list beside them? A mask says the class of each pixel, background included.",
            )
        return Schema(task=self.name, classes=tuple(classes))

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """One word for all: an image has pixels of many classes."""
        return ["mask"] * len(dataset.samples)

    def counts(self, dataset: Dataset) -> Sequence[int]:
        """As many in each: which classes a mask has, its pixels tell alone."""
        return [WORTH] * len(dataset.samples)

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """The same map with each loss."""
        return tuple(
            Problem(
                name=loss,
                inputs=self.inputs,
                outputs=(
                    Output(
                        name="mask", head="dense", size=len(schema.classes), loss=loss, post="argmax", target="mask"
                    ),
                ),
            )
            for loss in LOSSES
        )

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """Nothing: masks are pixels, and the store holds them.

        Raises:
            DataError: a mask names a class that is not one of those that the search started with.
        """
        for names, where in {_names(sample): sample.id for sample in samples}.items():
            for name in names:
                if name not in schema.classes:
                    raise _unknown(where, name, schema.classes)
        return {}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """`mask`: class indices (n, side, side)."""
        return {"mask": np.asarray(outputs["mask"])}

    def tally(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Arrays:
        """`counts` int64 (n, 3, classes): pixels right, predicted and true."""
        return {"counts": _metrics.tally(decoded["mask"], targets["mask"], len(schema.classes))}

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics, of tallies or of masks."""
        counts = decoded["counts"] if "counts" in decoded else self.tally(decoded, targets, schema)["counts"]
        return {name: _metrics.compute(name, counts) for name in names}

    def details(self, decoded: Arrays, targets: Arrays, schema: Schema) -> dict[str, float]:
        """Intersection over union of each class; NaN for one that is neither true nor predicted."""
        counts = decoded["counts"] if "counts" in decoded else self.tally(decoded, targets, schema)["counts"]
        values = _metrics.class_iou(counts)
        return {f"iou:{name}": float(value) for name, value in zip(schema.classes, values, strict=True)}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction`, the class with most pixels, then the share of each class."""
        for mask in decoded["mask"]:
            counts = np.bincount(mask.ravel(), minlength=len(schema.classes))
            shares = counts / max(1, mask.size)
            largest = schema.classes[int(shares.argmax())]
            yield {
                "prediction": largest,
                **{f"share_{n}": float(s) for n, s in zip(schema.classes, shares, strict=True)},
            }

    def above(self, decoded: Arrays, schema: Schema, confidence: float | None) -> Arrays:
        """All of it: every pixel has a class, however unsure."""
        return decoded

    def export(self, decoded: Arrays, samples: Sequence[Sample], schema: Schema, folder: Path) -> Sequence[str]:
        """A palette PNG and an overlay for each image; see `_export`."""
        return self.export_parts([(decoded, samples)], [sample.id for sample in samples], schema, folder)

    def export_parts(
        self, parts: Iterable[tuple[Arrays, Sequence[Sample]]], names: Sequence[str], schema: Schema, folder: Path
    ) -> Sequence[str]:
        """The same of masks that come part by part."""
        from autoft_segmentation._export import export

        return export(((part["mask"], samples) for part, samples in parts), names, schema, folder)


def _unknown(where: str, name: str, classes: Sequence[str]) -> DataError:
    return DataError(
        f"masks must be of the {len(classes)} known classes, but that of '{where}' names '{name}'."
        f"{did_you_mean(name, tuple(classes))} Known: {listed(classes)}.",
        "Validation and test data must use the class names of the training data.",
    )


def _names(sample: Sample) -> tuple[str, ...]:
    """The classes that a sample's mask may have, in its own order.

    Raises:
        DataError: it has no mask.
    """
    mask = sample.fields.get("mask")
    if not mask:
        raise DataError(f"every sample needs a mask, but '{sample.id}' has none.", "Put masks beside the images.")
    layers = mask.get("layers", ())
    if layers:
        return tuple(dict.fromkeys(name for name in (mask["background"], *natural({*layers})) if name))
    named = (*mask.get("values", {}).values(), mask.get("others", ""))
    drawn = natural({shape["name"] for shape in mask.get("shapes", ())})
    return tuple(dict.fromkeys(name for name in (mask.get("background", ""), *named, *drawn) if name))
