"""Samples as arrays: from the store for training, decoded on the fly for prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from autoft.data import images, masks
from autoft.data.inspect import default_workers
from autoft.data.masks import Labels
from autoft.data.store import MASK
from autoft.vocab import IGNORED

if TYPE_CHECKING:
    from autoft.contracts import Array


class StoreFeed:
    """Some rows of a store, with their targets. Implements `contracts.Feed`.

    Args:
        arrays: field -> (store rows, ...), usually memory-mapped (`Store.arrays`).
        rows: int64 (n,), the store's rows that this feed consists of, in order.
        targets: key -> (n, ...), one row per row of this feed.
    """

    def __init__(self, arrays: Mapping[str, Array], rows: Array, targets: Mapping[str, Array] | None = None) -> None:
        # asarray: np.take on a memmap would give back a memmap, and trials would carry the file along
        self.arrays = {field: np.asarray(array) for field, array in arrays.items()}
        self.rows = np.asarray(rows, np.int64)
        self.targets = _aligned(targets or {}, len(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def truth(self, index: Array) -> dict[str, Array]:
        """What predictions for these rows are compared with: targets, and masks of the store."""
        masks = {MASK: np.take(self.arrays[MASK], self.rows[index], axis=0)} if MASK in self.arrays else {}
        return {**{key: target[index] for key, target in self.targets.items()}, **masks}

    def batch(self, index: Array) -> dict[str, Array]:
        """Inputs by field and targets by key for `index` (int64 (b,), counted within this feed)."""
        taken = self.rows[index]
        inputs = {field: np.take(array, taken, axis=0) for field, array in self.arrays.items()}
        return {**inputs, **{key: target[index] for key, target in self.targets.items()}}


class DecodedFeed:
    """Images decoded when asked for, by the decoder that also fills the store. Implements `contracts.Feed`.

    A file that cannot be decoded gives a row of zeros and an entry in `bad`.
    """

    def __init__(
        self,
        paths: Sequence[str],
        size: int,
        targets: Mapping[str, Array] | None = None,
        field: str = "image",
        workers: int = 0,
        labels: Labels | None = None,
    ) -> None:
        self.paths = list(paths)
        self.size = size
        self.field = field
        self.targets = _aligned(targets or {}, len(self.paths))
        self.bad: dict[int, images.BadSample] = {}
        """Row -> why it has no pixels; complete once every row has been asked for."""
        self.labels = labels
        self._workers = workers or default_workers()

    def __len__(self) -> int:
        return len(self.paths)

    def truth(self, index: Array) -> dict[str, Array]:
        """Targets of these rows, and their masks where the samples have them."""
        found = {key: target[index] for key, target in self.targets.items()}
        if self.labels:
            labels, shape = self.labels, (len(index), self.size, self.size)
            found[MASK] = np.full(shape, IGNORED[labels.dtype], labels.dtype)
            for place, row in enumerate(np.asarray(index).tolist()):
                try:
                    found[MASK][place] = masks.decode(row, labels, self.size, self.paths[row]).pixels
                except images.BadSample as bad:
                    self.bad.setdefault(row, bad)
        return found

    def batch(self, index: Array) -> dict[str, Array]:
        """uint8 (b, size, size, 3) under the field's name, and targets by key."""
        index = np.asarray(index, np.int64)
        pixels = np.zeros((len(index), self.size, self.size, 3), np.uint8)

        def put(place: int) -> None:
            row = int(index[place])
            try:
                pixels[place] = images.decode(self.paths[row], self.size)
            except images.BadSample as bad:
                self.bad[row] = bad

        with ThreadPoolExecutor(self._workers) as pool:
            list(pool.map(put, range(len(index))))
        return {self.field: pixels, **{key: target[index] for key, target in self.targets.items()}}


def _aligned(targets: Mapping[str, Array], rows: int) -> dict[str, Array]:
    for key, target in targets.items():
        if len(target) != rows:
            raise ValueError(f"target '{key}' must have one row per sample ({rows}), but has {len(target)}.")
    return dict(targets)
