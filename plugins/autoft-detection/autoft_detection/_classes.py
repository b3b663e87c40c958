"""Finds the classes in the boxes: their order, their sizes, and what looks wrong with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from autoft.api import DataError, Dataset, Sample, did_you_mean, listed, natural, rarest

IMBALANCE = 20
"""The largest class may have this many times the boxes of the smallest before it is worth a word."""
FEW = 10
"""Classes with fewer boxes are named."""
EMPTY = "no boxes"
ALIKE = 5
"""Boxes of one image that say something of their own about a score: further ones are taken by the same camera, of the
same scene. (With a correlation of 0.2 within images, however many boxes of one are worth no more than five apart.)"""


def scored(sample: Sample) -> list[str]:
    """The class of each box that is learned and scored."""
    return [row[4] for row in sample.fields.get("boxes", ()) if len(row) == 5]


def count(dataset: Dataset) -> dict[str, int]:
    """Boxes by class, classes in their natural order.

    Raises:
        DataError: there are none.
    """
    sizes = Counter(name for sample in dataset.samples for name in scored(sample))
    every = {row[4] for sample in dataset.samples for row in sample.fields.get("boxes", ())}
    if not sizes:
        raise DataError(
            f"detection needs boxes to learn from, but none of the {len(dataset.samples)} images has one.",
            "Are the annotation files beside the images, or is every box flagged as crowd or difficult?",
        )
    return {name: sizes[name] for name in natural(every)}


def strata(dataset: Dataset) -> list[str]:
    """One word per image: the rarest of its classes."""
    return rarest([scored(sample) for sample in dataset.samples], EMPTY)


def worth(dataset: Dataset) -> list[int]:
    """Boxes of each image that a score counts, as far as they say something of their own."""
    return [min(ALIKE, len(scored(sample))) for sample in dataset.samples]


def warnings(sizes: dict[str, int]) -> list[str]:
    """What the user should know about the classes, in sentences."""
    said = [
        f"{listed(names)} are taken for {len(names)} classes: they differ in case or spaces alone."
        for names in _alike(sizes)
    ]
    few = [name for name, number in sizes.items() if number < FEW]
    if few:
        said.append(f"{listed(few)} {'has' if len(few) == 1 else 'have'} fewer than {FEW} boxes.")
    small, large = min(sizes, key=lambda n: sizes[n]), max(sizes, key=lambda n: sizes[n])
    if sizes[large] >= IMBALANCE * max(sizes[small], 1):
        said.append(f"the classes are uneven: '{large}' has {sizes[large]} boxes, '{small}' has {sizes[small]}.")
    return said


def _alike(names: Iterable[str]) -> list[list[str]]:
    """Names that are probably one class, written in several ways."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found["".join(name.casefold().split())].append(name)
    return [group for group in found.values() if len(group) > 1]


def unknown(where: str, name: str, classes: Sequence[str]) -> DataError:
    return DataError(
        f"boxes must be of the {len(classes)} known classes, but '{where}' has a '{name}'."
        f"{did_you_mean(name, tuple(classes))} Known: {listed(classes)}.",
        "Validation and test data must use the class names of the training data.",
    )
