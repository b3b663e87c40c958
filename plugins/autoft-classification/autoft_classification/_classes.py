"""Finds the classes in the labels: their order, their sizes, and what looks wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from autoft.api import DataError, Dataset, Sample

IMBALANCE = 10
"""The largest class may have this many times the samples of the smallest before it is worth a word."""
LISTED = 5
"""How many names a message lists before it says how many more there are."""


def label(sample: Sample) -> str:
    """The class name of a sample.

    Raises:
        DataError: it has none.
    """
    name = sample.fields.get("label")
    if name is None or str(name).strip() == "":
        raise DataError(
            f"every sample needs a label, but '{sample.id}' has none.",
            "Name the column with --target, or put the images into one folder per class.",
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
            "Put the images into one folder per class, or name the column with the label: --target COLUMN.",
        )
    if len(sizes) == len(dataset.samples):
        raise DataError(
            f"a class needs at least 2 samples to learn and to check, but each of the {len(sizes)} samples "
            f"has a class of its own ({listed(natural(sizes))}).",
            "Is it a column of names or numbers? Name the column with the label: --target COLUMN.",
        )
    return {name: sizes[name] for name in natural(sizes)}


def natural(names: Iterable[str]) -> list[str]:
    """Sorted so that 2 comes before 10; names that differ in case alone keep one order everywhere."""
    return sorted(names, key=lambda name: (_pieces(name.casefold()), name))


def _pieces(name: str) -> list[tuple[int, int, str]]:
    """Runs of digits compare by value (length, then digits), the rest letter by letter."""
    digits = [(part.lstrip("0"), part) for part in re.findall(r"[0-9]+|[^0-9]+", name)]
    return [(0, len(bare), bare) if part[0] in "0123456789" else (1, 0, part) for bare, part in digits]


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
            "--metric balanced_accuracy weighs all classes alike."
        )
    return said


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - LISTED
    return ", ".join(f"'{name}'" for name in names[:LISTED]) + (f" and {more} more" if more > 0 else "")
