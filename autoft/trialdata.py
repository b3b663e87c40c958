"""The data of one trial in a worker: rows of the shared store, with targets encoded once per process."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from autoft import measured, remote
from autoft.abilities import Learning
from autoft.contracts import Array, Arrays, Learner, Task
from autoft.data import cache, eviction
from autoft.data.feed import StoreFeed
from autoft.data.forms import KEYS, texts_of
from autoft.data.store import ABOUT, Store
from autoft.errors import DataError
from autoft.records import DataRef, Dataset, Job, Output, Problem, Sample, Schema, Splits, from_json


class Opened(NamedTuple):
    """What a `DataRef` points to."""

    store: Store
    arrays: dict[str, Array]
    """What feeds give, by key, with one row per sample: of the store, and texts."""
    samples: dict[str, tuple[int, Sample]]
    """Sample id -> row of the store, sample."""
    splits: Splits

    def taken_by(self, modality: str) -> dict[str, Array]:
        """The arrays that a network of this modality takes in or is compared with."""
        others = {key for name, keys in KEYS.items() if name != modality for key in keys}
        return {key: array for key, array in self.arrays.items() if key not in others}


class Part(NamedTuple):
    """One fold: what trains and validates one learner."""

    learner: Learner
    job: Job
    train: StoreFeed
    val: StoreFeed
    val_targets: Arrays
    schema: Schema
    """With what the task has learned of the targets of `train` alone, where it learns anything."""


@functools.lru_cache(maxsize=4)
def open_data(ref: DataRef) -> Opened:
    """Open the store (memory-mapped: all workers share its pages), the samples and the split.

    A store in a bucket is copied into the cache of this machine, once: there it lies where `store.build` puts it.

    Raises:
        DataError, UsageError: it is not there, or not the one meant.
    """
    dataset = from_json(_read(ref.dataset), Dataset)
    store = _store(ref)
    return Opened(
        store=store,
        arrays={**store.arrays, **_texts(dataset.samples)},
        samples={sample.id: (row, sample) for row, sample in enumerate(dataset.samples)},
        splits=from_json(_read(ref.splits), Splits),
    )


def _texts(samples: Sequence[Sample]) -> dict[str, Array]:
    """Texts, which no store holds: object (rows,), a tuple each."""
    if not samples or "text" not in samples[0].fields:
        return {}
    found = np.empty(len(samples), object)
    for row, sample in enumerate(samples):
        found[row] = texts_of(sample)
    return {"text": found}


def _read(place: str) -> bytes:
    return remote.read(place) if remote.is_address(place) else Path(place).read_bytes()


def cached(ref: DataRef) -> Path:
    """Where the store lies in the cache of this machine, if it was copied from a bucket."""
    return cache.cache_root() / "stores" / ref.fingerprint


def _store(ref: DataRef) -> Store:
    if not remote.is_address(ref.store):
        return Store.open(ref.store)
    folder = cached(ref)
    try:
        return Store.open(folder)
    except DataError:
        eviction.remove(folder)  # absent or damaged
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        eviction.make_room(folder.parent, sum(remote.sizes(ref.store).values()), cache.cache_limit())
    except OSError as error:
        raise cache.unusable(folder.parent, error) from error
    with measured.once():
        remote.pull(ref.store, folder, last=ABOUT)
    return Store.open(folder)


def feed_of(
    ref: DataRef, ids: Sequence[str], task: Task, schema: Schema, problem: Problem, modality: str
) -> tuple[StoreFeed, Arrays]:
    """A feed of these samples, in this order, for a network of this modality, and their encoded targets."""
    opened = open_data(ref)
    rows = np.array([opened.samples[i][0] for i in ids], dtype=np.int64)
    targets = task.encode([opened.samples[i][1] for i in ids], schema, problem)
    return StoreFeed(opened.taken_by(modality), rows, targets), targets


def learned(task: Task, targets: Arrays, schema: Schema) -> Schema:
    """The schema with what the task learns of targets that are trained on."""
    return task.learn(targets, schema) if isinstance(task, Learning) else schema


def weighted(problem: Problem, feed: StoreFeed, balanced: bool) -> Problem:
    """The problem with class weights in its losses, if they are to be balanced over the targets of this feed."""
    if not balanced:
        return problem
    outputs = [
        msgspec.structs.replace(output, class_weights=balanced_weights(_counts(feed, output)))
        if output.loss in ("cross_entropy", "ce_dice")
        else output
        for output in problem.outputs
    ]
    return msgspec.structs.replace(problem, outputs=tuple(outputs))


def _counts(feed: StoreFeed, output: Output) -> Array:
    """Samples, or pixels, of each class; those of no class count nowhere."""
    if output.target in feed.targets:
        index = feed.targets[output.target].ravel()
        return np.bincount(index[index >= 0], minlength=output.size)[: output.size]
    masks = feed.arrays[output.target]
    counts = np.zeros(output.size, np.int64)
    for row in feed.rows.tolist():
        counts += np.bincount(masks[row].ravel(), minlength=output.size)[: output.size]
    return counts


def balanced_weights(counts: Array) -> tuple[float, ...]:
    """n / (classes present * count) for each class, 0 for a class without samples (King and Zeng, 2001)."""
    present, total = int((counts > 0).sum()), int(counts.sum())
    return tuple(float(total / (present * c)) if c else 0.0 for c in counts)
