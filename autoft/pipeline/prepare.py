"""From what the user named to samples that can be trained on: read, checked, decoded once and split."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from autoft.contracts import Task
from autoft.data import cache, checks, masks, splits, store
from autoft.data.inspect import inspect
from autoft.data.readers import open_dataset
from autoft.data.store import Store
from autoft.events import DataRecognised, Listener, Note
from autoft.options import DataOptions
from autoft.records import Dataset, Issue, Schema, Splits
from autoft.registry import Registry

STORED = "image"
"""The field that is decoded into the store."""


class Checked(NamedTuple):
    """Data whose files were read but not decoded."""

    dataset: Dataset
    schema: Schema
    digests: tuple[str, ...]
    issues: tuple[Issue, ...]
    side: int
    """Median of the shorter sides, in pixels; 0 where there are no images."""
    total: int
    """Samples before any was left out."""


class Prepared(NamedTuple):
    """Data ready for trials."""

    dataset: Dataset
    """Its samples are the rows of the store."""
    schema: Schema
    store: Store
    splits: Splits
    issues: tuple[Issue, ...]


def check(registry: Registry, options: DataOptions, task: Task, listener: Listener) -> Checked:
    """Read and inspect the data.

    Raises:
        DataError: nothing usable, too much unusable, or targets that cannot be learned from.
    """
    dataset = open_dataset(registry, options, task)
    listener(Note(text=dataset.recognised))
    found = inspect(dataset, task.inputs)
    total = checks.total(dataset)
    checks.refuse_if_too_bad(found.issues, total, options.max_bad)
    schema = task.schema(found.dataset)
    for warning in schema.extra.get("warnings", ()):
        listener(Note(text=str(warning), level="warning"))
    sides = found.sides.min(axis=1)
    side = int(np.median(sides[sides > 0])) if (sides > 0).any() else 0
    return Checked(found.dataset, schema, found.digests, found.issues, side, total)


def prepare(
    checked: Checked,
    task: Task,
    options: DataOptions,
    size: int,
    seed: int,
    listener: Listener,
    root: Path | None = None,
) -> Prepared:
    """Decode to `size` and split.

    Raises:
        DataError: too many files turn out to be damaged, or too few samples are left to split.
    """
    samples = checked.dataset.samples
    wanted = (
        masks.labels([s.fields[store.MASK] for s in samples], checked.schema.classes)
        if store.MASK in task.targets
        else None
    )
    place = root or cache.cache_root()
    decoded, damaged = store.build(checked.dataset, checked.digests, STORED, size, place, labels=wanted)
    issues = (*checked.issues, *damaged)
    checks.refuse_if_too_bad(issues, checked.total, options.max_bad)
    divided = split(checked, task, seed, tuple(issue.subject for issue in damaged if issue.drops))
    prepared = Prepared(checked.dataset, checked.schema, decoded, divided, issues)
    listener(recognised(checked.dataset, checked.schema, divided, issues))
    return prepared


def split(checked: Checked, task: Task, seed: int, drop: tuple[str, ...] = ()) -> Splits:
    return splits.make(checked.dataset, task.strata(checked.dataset), checked.digests, seed, drop)


def recognised(dataset: Dataset, schema: Schema, divided: Splits, issues: tuple[Issue, ...]) -> DataRecognised:
    first = divided.folds[0]
    return DataRecognised(
        sentence=divided.sentence,
        samples=len(dataset.samples),
        classes=schema.classes,
        splits={"train": len(first.train), "val": len(first.val), "test": len(divided.test)},
        issues=issues,
    )
