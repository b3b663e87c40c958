"""In which batches samples come: those of like lengths together, so that less is padded; which are shown once more.
Numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autoft.contracts import Feed

Array = np.ndarray[Any, np.dtype[Any]]

FEW = 8
"""Samples that are not worth sorting by length."""
READ = 64
"""Recordings of which the lengths are read at a time."""
WINDOW = 4
"""Batches among which texts are sorted by length. More would let time run out unasked."""
NEAR, OFF = 16, 0.1
"""The same for training, and the part by which lengths are off there."""
SHOWN = 64
"""Samples of an epoch of training that are shown once more behind it."""
EARLY, FEWEST = 8, 4
"""Steps of an epoch that ends early for each batch that is shown then, and the fewest batches that tell something."""


def text_lengths(feed: Feed) -> Array | None:
    """Letters of each text; None where they are too few to be sorted."""
    if len(feed) <= FEW:
        return None
    texts = feed.batch(np.arange(len(feed)))["text"]
    return np.array([sum(map(len, each)) for each in texts], np.int64)


def recording_lengths(feed: Feed) -> Array | None:
    """Samples of each recording, which are read for it; None where they are too few to be sorted."""
    if len(feed) <= FEW:
        return None
    return np.concatenate([feed.batch(part)["length"] for part in shuffled(np.arange(len(feed)), READ)])


def windows(count: int, size: int, lengths: Array | None) -> list[list[Array]]:
    """Batches for predictions, by groups of neighbours: what is told of a group's samples is told in their order.

    Args:
        lengths: of the samples; within a group of `WINDOW` batches the short ones come first. Without them each
            group is one batch.
    """
    if lengths is None:
        return [[batch] for batch in _cut(np.arange(count), size)]
    groups = (lengths[group].argsort(kind="stable") + group[0] for group in _cut(np.arange(count), WINDOW * size))
    return [_cut(group, size) for group in groups]


def by_length(order: Array, size: int, lengths: Array, rng: np.random.Generator) -> Array:
    """The samples of an epoch of training so that those of about the same length come together.

    They are sorted among `NEAR` batches of `size`, by lengths that are off by a tenth: else a small set would have the
    same batches in every epoch.
    """
    about = lengths[order] * rng.uniform(1 - OFF, 1 + OFF, len(order))
    parts = _cut(np.arange(len(order)), NEAR * size)
    found: Array = order[np.concatenate([part[about[part].argsort()] for part in parts])]
    return found


def shuffled(
    order: Array,
    size: int,
    *,
    equal: bool = False,
    lengths: Array | None = None,
    rng: np.random.Generator | None = None,
) -> list[Array]:
    """The samples, which come in the order of an epoch, in batches of nearly equal size, at most `size`, so that no
    small remainder upsets batch statistics.

    With `equal` they are of one size: the last one takes over some samples of the first, fewer than there are batches.
    With the samples' `lengths` and a generator, those of about the same length come together (`by_length`), and the
    batches in any order.
    """
    if not len(order):
        return []
    if lengths is not None and rng is not None:
        batches = shuffled(by_length(order, size, lengths, rng), size, equal=equal)
        return [batches[place] for place in rng.permutation(len(batches))]
    count = math.ceil(len(order) / size)
    if equal:
        order = order.take(range(count * math.ceil(len(order) / count)), mode="wrap")
    return list(np.array_split(order, count))


def shown_again(trained: Sequence[Array], *, whole: bool) -> list[Array]:
    """The first batches of an epoch of training, up to `SHOWN` samples, for statistics of samples as they are.

    Args:
        trained: those that were learned from, in their order.
        whole: whether these are the whole epoch. Of one that ends early, its time nearly over, few are shown or none.
    """
    found: list[Array] = []
    for batch in trained if whole else trained[: _few(len(trained))]:
        if sum(map(len, found)) < SHOWN and len(batch) > 1:
            found.append(batch)
    return found


def batches_shown_again(trained: int, size: int, *, whole: bool) -> int:
    """How many those are, of batches of this size."""
    if size < 2:
        return 0
    return min(trained if whole else _few(trained), math.ceil(SHOWN / size))


def _few(trained: int) -> int:
    return trained // EARLY if trained >= EARLY * FEWEST else 0


def _cut(order: Array, size: int) -> list[Array]:
    return [order[first : first + size] for first in range(0, len(order), size)]


def in_order(parts: Sequence[Array], group: Sequence[Array]) -> Array:
    """What was computed for each batch of a group, or of several, in the order of the samples."""
    order, found = np.concatenate(group), parts[0] if len(parts) == 1 else np.concatenate(parts)
    return found if (order[1:] > order[:-1]).all() else found[order.argsort()]
