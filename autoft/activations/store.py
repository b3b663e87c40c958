"""`ActivationStore`: what one cut gives for one view of the samples, in a folder of the cache.

rows.npy     one row per row of the decoded store; rows appear as trials need them
filled       one byte per row: 1 where the row is there; written after the row is on the disk
store.json   what it holds; a lock on it keeps other processes from evicting the store
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autoft import atomic
from autoft.data import eviction
from autoft.records import Cut

if TYPE_CHECKING:
    from autoft.contracts import Array

ABOUT = "store.json"
ROWS = "rows.npy"
FILLED = "filled"
TRIES = 3
SMALL, BLOCK = 16 << 10, 16 << 20
"""Stores of smaller rows are written in whole blocks first: Linux then keeps them in large pages, and minibatches of
small rows are gathered a fifth faster. Others are sparse until their rows are filled."""


class ActivationStore:
    """A memory-mapped store that many processes read and fill at once."""

    def __init__(self, folder: Path, rows: Array, filled: Array, lock: int) -> None:
        self.folder = folder
        self.rows = rows
        """(rows, *shape), read-only, mapped from disk. Zero where not filled."""
        self._filled = filled
        self._unlock = weakref.finalize(self, os.close, lock)

    @classmethod
    def open(cls, folder: Path, cut: Cut, rows: int) -> ActivationStore:
        """The store in `folder`; made if it is not there, or does not hold what it should.

        Raises:
            OSError: it cannot be made or mapped.
        """
        for _ in range(TRIES):
            if not folder.is_dir():
                _make(folder, cut, rows)
            try:
                return cls._existing(folder, cut, rows)
            except FileNotFoundError:
                continue  # evicted a moment ago
            except (ValueError, KeyError, TypeError):
                eviction.remove(folder)  # damaged
        raise OSError(f"'{folder}' disappears as soon as it is made")

    @classmethod
    def _existing(cls, folder: Path, cut: Cut, rows: int) -> ActivationStore:
        lock = eviction.hold(folder / ABOUT)
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if (about["rows"], tuple(about["shape"]), about["dtype"]) != (rows, cut.shape, cut.dtype):
                raise ValueError(f"'{folder}' holds {about}")
            array = np.load(folder / ROWS, mmap_mode="r", allow_pickle=False)
            filled = np.memmap(folder / FILLED, np.uint8, "r", shape=(rows,))
            if array.shape != (rows, *cut.shape) or (folder / ABOUT).stat().st_ino != os.fstat(lock).st_ino:
                raise FileNotFoundError(f"'{folder}' has been made anew")
        except BaseException:
            os.close(lock)
            raise
        eviction.touch(folder)
        # asarray: np.take on a memmap would give back a memmap, and batches would carry the file along
        return cls(folder, np.asarray(array), np.asarray(filled), lock)

    @property
    def bytes_per_row(self) -> int:
        return int(self.rows[:1].nbytes)

    def missing(self, rows: Array) -> Array:
        """Those of `rows` that are not filled yet, by any process."""
        absent: Array = rows[self._filled[rows] == 0]
        return absent

    def writer(self) -> Writer:
        return Writer(self)


class Writer:
    """Fills rows. Plain writes instead of a writable map: on a full disk a write raises, a map kills the process."""

    def __init__(self, store: ActivationStore) -> None:
        self.store = store
        self._data = os.open(store.folder / ROWS, os.O_WRONLY)
        self._mask = os.open(store.folder / FILLED, os.O_WRONLY)
        self._start = os.fstat(self._data).st_size - store.rows.nbytes
        self._written: list[Array] = []

    def put(self, rows: Array, values: Array) -> None:
        """Write `values` (n, *shape) to these rows, which count as filled after the next `mark`."""
        if not len(rows):
            return
        order = np.argsort(rows)
        content = np.ascontiguousarray(values[order]).data.cast("B")
        size, place = self.store.bytes_per_row, 0
        for first, last in _runs(rows[order]):  # few large writes: their pages are found faster later
            end = place + (last - first) * size
            _write(self._data, content[place:end], self._start + first * size)
            place = end
        self._written.append(rows)

    def mark(self) -> None:
        """Note that the rows written so far are filled, once they are on the disk: a crash must not leave holes."""
        if self._written:
            os.fsync(self._data)
            for first, last in _runs(np.sort(np.concatenate(self._written))):
                _write(self._mask, memoryview(b"\1" * (last - first)), first)
            self._written = []

    def close(self) -> None:
        """Without `mark`: what was not marked is not there."""
        os.close(self._data)
        os.close(self._mask)


def _runs(rows: Array) -> Iterator[tuple[int, int]]:
    """Sorted rows as ranges (first, one after the last)."""
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        yield int(run[0]), int(run[-1]) + 1


def _write(handle: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(handle, data, offset)
        data, offset = data[written:], offset + written


def _make(folder: Path, cut: Cut, rows: int) -> None:
    """An empty store, in one step: of several processes, the first to finish wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.first(folder, ABOUT) as draft:
        header: dict[str, Any] = {"descr": np.dtype(cut.dtype).str, "fortran_order": False, "shape": (rows, *cut.shape)}
        with (draft / ROWS).open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            end = file.tell() + rows * cut.bytes
            if cut.bytes < SMALL:
                while left := end - file.tell():
                    file.write(bytes(min(left, BLOCK)))
            file.truncate(end)
        with (draft / FILLED).open("wb") as file:
            file.truncate(rows)
        about = {"rows": rows, "shape": cut.shape, "dtype": cut.dtype, "depth": cut.depth}
        (draft / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def writing(store: ActivationStore) -> closing[Writer]:
    """A writer that is closed at the end of the context."""
    return closing(store.writer())
