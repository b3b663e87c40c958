"""Samples as arrays: from the store for training, decoded on the fly for prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from autoft.data import images
from autoft.data.forms import MASK, File, Form, Windowed
from autoft.data.inspect import default_workers
from autoft.errors import DataError
from autoft.records import Sample
from autoft.vocab import IGNORED

if TYPE_CHECKING:
    from autoft.contracts import Array


class StoreFeed:
    """Some rows of a store, with their targets. Implements `contracts.Feed`.

    Args:
        arrays: key -> (store rows, ...), usually memory-mapped (`Store.arrays`).
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


class WholeFeed(StoreFeed):
    """Rows of a store that are heard to their end: what is behind the store's rows is decoded when asked for."""

    def __init__(self, kept: StoreFeed, samples: Sequence[Sample], inputs: Sequence[Form]) -> None:
        """`samples` are those of the rows of `kept`, in order."""
        super().__init__(kept.arrays, kept.rows, kept.targets)
        self._files = DecodedFeed(samples, inputs)

    def further(self, index: Array) -> tuple[dict[str, Array], Array]:
        """See `DecodedFeed.further`.

        Raises:
            DataError: a file cannot be decoded any more.
        """
        found = self._files.further(index)
        for row, bad in self._files.bad.items():
            name = self._files.samples[row].id
            raise DataError(f"recordings must stay as they were read, but of '{name}' {bad.kind} is said now: {bad}.")
        return found


class DecodedFeed:
    """Samples decoded when asked for, by the decoders that also fill the store. Implements `contracts.Feed`.

    A file that cannot be decoded gives a row of zeros and an entry in `bad`.

    Args:
        inputs: what a network takes in.
        truths: what predictions are compared with, beside `targets`; a prediction has none.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        inputs: Sequence[Form],
        targets: Mapping[str, Array] | None = None,
        truths: Sequence[Form] = (),
        workers: int = 0,
    ) -> None:
        self.samples, self.inputs, self.truths = list(samples), inputs, truths
        self.targets = _aligned(targets or {}, len(self.samples))
        self.bad: dict[int, images.BadSample] = {}
        """Row -> why it has no arrays; complete once every row has been asked for."""
        self.remarks: dict[int, Sequence[tuple[str, str]]] = {}
        """Row -> what is wrong with its truth, though it can be used."""
        self._workers = workers or default_workers()

    def __len__(self) -> int:
        return len(self.samples)

    def truth(self, index: Array) -> dict[str, Array]:
        """Targets of these rows, and their masks where the samples have them."""
        return {**{key: target[index] for key, target in self.targets.items()}, **self._decoded(self.truths, index)}

    def batch(self, index: Array) -> dict[str, Array]:
        """Inputs as their forms say, and targets by key."""
        targets = {key: target[index] for key, target in self.targets.items()}
        return {**self._decoded(self.inputs, index), **targets}

    def further(self, index: Array) -> tuple[dict[str, Array], Array]:
        """Inputs of further parts of recordings that are longer than what a network hears at once, and for each part
        int64 the place in `index` of its recording. Of all of their parts, in order, where these are joined
        (`Decoding.windows` 0)."""
        forms = [form for form in self.inputs if isinstance(form, Windowed)]

        def parts(place: int) -> list[list[Sequence[Array]]]:
            row = int(index[place])
            try:
                return [] if row in self.bad else [form.further(self.samples[row]) for form in forms]
            except images.BadSample as bad:
                self.bad.setdefault(row, bad)
                return []

        with ThreadPoolExecutor(self._workers) as pool:
            found = list(pool.map(parts, range(len(index))))
        counts = [len(one[0]) if one else 0 for one in found]
        arrays = {
            file.key: np.array([part[place] for one in found if one for part in one[number]], file.dtype)
            for number, form in enumerate(forms)
            for place, file in enumerate(form.files)
        }
        return arrays, np.repeat(np.arange(len(index)), counts)

    def _decoded(self, wanted: Sequence[Form], index: Array) -> dict[str, Array]:
        files = [file for form in wanted for file in form.files]
        found = {file.key: _blank(file, len(index)) for file in files}

        def put(place: int) -> None:
            row = int(index[place])
            try:
                rows = [form.row(row, self.samples[row]) for form in wanted]
            except images.BadSample as bad:
                self.bad.setdefault(row, bad)
                return
            said = [remark for each in rows for remark in each.remarks]
            if wanted is self.truths and said:
                self.remarks[row] = said
            for file, array in zip(files, (array for each in rows for array in each.arrays), strict=True):
                found[file.key][place] = array

        with ThreadPoolExecutor(self._workers) as pool:
            list(pool.map(put, range(len(index))))
        return found


def _blank(file: File, rows: int) -> Array:
    """Rows of nothing: zeros, and in masks no class."""
    fill = IGNORED[file.dtype] if file.key == MASK else 0
    return np.full((rows, *file.shape), fill, file.dtype)


def _aligned(targets: Mapping[str, Array], rows: int) -> dict[str, Array]:
    for key, target in targets.items():
        if len(target) != rows:
            raise ValueError(f"target '{key}' must have one row per sample ({rows}), but has {len(target)}.")
    return dict(targets)
