"""Minibatches from activation stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autoft.vocab import ACTIVATION

if TYPE_CHECKING:
    from autoft.contracts import Array


class ActivationFeed:
    """Some rows of a store, or of one store per view, with their targets. Implements `contracts.Feed`.

    Args:
        arrays: one (store rows, *shape) per view, usually memory-mapped.
        rows: int64 (n,), the stores' rows that this feed consists of, in order.
        targets: key -> (n, ...), one row per row of this feed.
        starts: int64 (n,), which view each sample has in epoch 0; epochs take turns from there.
    """

    def __init__(
        self,
        arrays: Sequence[Array],
        rows: Array,
        targets: Mapping[str, Array],
        starts: Array | None = None,
        epoch: int = 0,
    ) -> None:
        self.arrays, self.rows, self.targets = list(arrays), np.asarray(rows, np.int64), dict(targets)
        self.starts = np.zeros(len(self.rows), np.int64) if starts is None else starts
        self.epoch = epoch
        if len(self.rows) and not (self.rows.min() >= 0 and self.rows.max() < min(map(len, self.arrays))):
            raise IndexError(f"rows must lie in the store, but reach from {self.rows.min()} to {self.rows.max()}.")

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, epoch: int) -> ActivationFeed:
        """The same samples with the views of an epoch."""
        return ActivationFeed(self.arrays, self.rows, self.targets, self.starts, epoch)

    def batch(self, index: Array) -> dict[str, Array]:
        """`vocab.ACTIVATION` and targets by key for `index` (int64 (b,), counted within this feed)."""
        taken = self.rows.take(index)
        if len(self.arrays) == 1:
            # Nearly as fast as a plain copy of as many bytes: `benchmarks/cache.py --parts gather`.
            found = {ACTIVATION: self.arrays[0].take(taken, axis=0)}
        else:
            views = (self.starts.take(index) + self.epoch) % len(self.arrays)
            found = {ACTIVATION: _gather_views(self.arrays, taken, views)}
        for key, target in self.targets.items():
            found[key] = target[index]
        return found


def _gather_views(arrays: Sequence[Array], rows: Array, views: Array) -> Array:
    found = np.empty((len(rows), *arrays[0].shape[1:]), arrays[0].dtype)
    for place, (view, row) in enumerate(zip(views.tolist(), rows.tolist(), strict=True)):
        found[place] = arrays[view][row]
    return found
