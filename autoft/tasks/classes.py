"""Finds the classes in the labels: their order, their sizes, and what looks wrong with them."""

from __future__ import annotations

from collections import Counter

from autoft.errors import DataError
from autoft.names import listed, natural
from autoft.records import Dataset, Sample

IMBALANCE = 10
"""The largest class may have this many times the samples of the smallest before it is worth a word."""


def label(sample: Sample) -> str:
    """The class name of a sample.

    Raises:
        DataError: it has none.
    """
    name = sample.fields.get("label")
    if name is None or str(name).strip() == "":
        raise DataError(
            f"every sample needs a label, but '{sample.id}' has none.",
            "Name the column with --target, or put the files into one folder per class.",
        )
    return str(name)


def count(dataset: Dataset) -> dict[str, int]:
    """Samples by class, classes in their natural order.

    Raises:
        DataError: a label is missing, there are fewer than two classes, or each sample is a class of its own.
    """
    sizes = Counter(label(sample) for sample in dataset.samples)
    if len(sizes) < 2:
        only = f"only '{next(iter(sizes))}' in {dataset.root}" if sizes else f"no sample in {dataset.root}"
        raise DataError(
            f"classification needs at least 2 classes, but there is {only}.",
            "Put the files into one folder per class, or name the column with the label: --target COLUMN.",
        )
    if len(sizes) == len(dataset.samples):
        raise DataError(
            f"a class needs at least 2 samples to learn and to check, but each of the {len(sizes)} samples "
            f"has a class of its own ({listed(natural(sizes))}).",
            "Is it a column of names or numbers? Name the column with the label: --target COLUMN.",
        )
    return {name: sizes[name] for name in natural(sizes)}


def warnings(sizes: dict[str, int]) -> list[str]:
    """What the user should know about the classes, in sentences."""
    spellings: dict[str, list[str]] = {}
    for name in sizes:
        spellings.setdefault(" ".join(name.casefold().split()), []).append(name)
    said = [
        f"{' and '.join(map(repr, group))} differ only in case or spaces, but count as {len(group)} classes."
        for group in spellings.values()
        if len(group) > 1
    ]
    small, large = min(sizes, key=lambda n: sizes[n]), max(sizes, key=lambda n: sizes[n])
    if sizes[large] >= IMBALANCE * sizes[small]:
        said.append(
            f"the classes are uneven: '{large}' has {sizes[large]} samples, '{small}' has {sizes[small]}; "
            "--metric balanced_accuracy weighs all classes alike, in the loss as well."
        )
    return said
