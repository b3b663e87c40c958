"""The data of one trial in a worker: rows of the shared store, with targets encoded once per process."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autoft.contracts import Arrays, Feed, Task
from autoft.data.feed import StoreFeed
from autoft.data.store import Store
from autoft.records import DataRef, Dataset, Problem, Sample, Schema, Splits, from_json


class Opened(NamedTuple):
    """What a `DataRef` points to."""

    store: Store
    samples: dict[str, tuple[int, Sample]]
    """Sample id -> row of the store, sample."""
    splits: Splits


@functools.lru_cache(maxsize=4)
def open_data(ref: DataRef) -> Opened:
    """Open the store (memory-mapped: all workers share its pages), the samples and the split."""
    dataset = from_json(Path(ref.dataset).read_bytes(), Dataset)
    return Opened(
        store=Store.open(Path(ref.store)),
        samples={sample.id: (row, sample) for row, sample in enumerate(dataset.samples)},
        splits=from_json(Path(ref.splits).read_bytes(), Splits),
    )


def feed_of(ref: DataRef, ids: Sequence[str], task: Task, schema: Schema, problem: Problem) -> tuple[Feed, Arrays]:
    """A feed of these samples, in this order, and their encoded targets."""
    opened = open_data(ref)
    rows = np.array([opened.samples[i][0] for i in ids], dtype=np.int64)
    targets = task.encode([opened.samples[i][1] for i in ids], schema, problem)
    return StoreFeed(opened.store.arrays, rows, targets), targets
