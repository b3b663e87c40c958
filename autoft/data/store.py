"""Decoded images, resized once and shared by all trials: a memory-mapped uint8 array in a folder of the cache."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autoft.data import cache, eviction, images
from autoft.data.inspect import default_workers
from autoft.errors import DataError
from autoft.records import Dataset, Issue

if TYPE_CHECKING:
    from autoft.contracts import Array

ABOUT = "store.json"


class Store:
    """One decoded data set. Rows stand in the order of the samples it was built from.

    While a store is open, a lock on `store.json` keeps other processes from evicting it.
    """

    def __init__(self, folder: Path, about: dict[str, Any], array: Array, lock: int) -> None:
        self.folder = folder
        self.fingerprint: str = about["fingerprint"]
        self.size: int = about["size"]
        self.field: str = about["field"]
        self.bad: dict[int, tuple[str, str]] = {int(row): (kind, text) for row, kind, text in about["bad"]}
        """Rows without pixels (all zero): kind and detail of the issue."""
        self.arrays: dict[str, Array] = {self.field: array}
        """Field -> read-only uint8 (rows, size, size, 3), mapped from disk."""
        self._unlock = weakref.finalize(self, os.close, lock)

    def __len__(self) -> int:
        return len(self.arrays[self.field])

    @classmethod
    def open(cls, folder: str | Path) -> Store:
        """Map an existing store.

        Raises:
            DataError: there is none, or it is damaged.
        """
        folder = Path(folder)
        try:
            lock = eviction.hold(folder / ABOUT)
        except OSError as error:
            raise _unreadable(folder, error) from error
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            array = np.load(folder / f"{about['field']}.npy", mmap_mode="r", allow_pickle=False)
            store = cls(folder, about, array, lock)
        except (OSError, ValueError, KeyError, TypeError) as error:
            os.close(lock)
            raise _unreadable(folder, error) from error
        eviction.touch(folder)
        return store


def _unreadable(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"the decoded images must be at '{folder}', but they cannot be read: {error}.",
        "Run the search again: it decodes them anew.",
    )


def build(
    dataset: Dataset, digests: Sequence[str], field: str, size: int, root: Path, workers: int = 0
) -> tuple[Store, tuple[Issue, ...]]:
    """Decode all images of `dataset` to (size, size, 3), or open the store that already holds them.

    The key is made of the files' hashes in order, the size and the decoder's version; labels and splits are
    not in it, so that relabelled data reuse the pixels. Samples that cannot be decoded become issues; their
    rows are zero. Several processes may build the same store at once: the first to finish wins.

    Args:
        digests: one hash per sample, from `inspect`.
        root: the cache folder; the store lies in `stores/` below it.

    Raises:
        UsageError: the cache cannot be written or has no room.
    """
    key = fingerprint(digests, field, size)
    folder = root / "stores" / key
    store = _existing(folder)
    if store is None:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            eviction.make_room(folder.parent, len(digests) * size * size * 3, cache.cache_limit())
            _build(folder, [str(sample.fields[field]) for sample in dataset.samples], key, field, size, workers)
        except OSError as error:
            raise cache.unusable(root, error) from error
        store = Store.open(folder)
    names = [sample.id for sample in dataset.samples]
    issues = (Issue(kind=kind, subject=names[row], detail=text) for row, (kind, text) in sorted(store.bad.items()))
    return store, tuple(issues)


def _existing(folder: Path) -> Store | None:
    """The finished store of an earlier run, if it is whole. A damaged one makes way for a new one."""
    if not folder.is_dir():
        return None
    try:
        return Store.open(folder)
    except DataError:
        eviction.remove(folder)
        return None


def fingerprint(digests: Sequence[str], field: str, size: int) -> str:
    """The key of a store, 32 hexadecimal digits."""
    state = hashlib.blake2b(f"{images.DECODER}|{field}|{size}|{len(digests)}".encode(), digest_size=16)
    for digest in digests:
        state.update(digest.encode() + b"\n")
    return state.hexdigest()


def _build(folder: Path, paths: list[str], key: str, field: str, size: int, workers: int) -> None:
    draft = folder.with_name(f"{eviction.DRAFT}{key}-{os.getpid()}-{secrets.token_hex(4)}")
    draft.mkdir()
    try:
        bad = _fill(draft / f"{field}.npy", paths, size, workers)
        about = {"fingerprint": key, "field": field, "size": size, "decoder": images.DECODER, "bad": bad}
        (draft / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        try:
            os.replace(draft, folder)
        except OSError:
            if not (folder / ABOUT).is_file():
                raise
            # Another process has finished the same store; ours is not needed.
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(target: Path, paths: list[str], size: int, workers: int) -> list[tuple[int, str, str]]:
    """Write the array row by row, in any order. Returns (row, kind, detail) of those that failed.

    Plain writes instead of a writable map: on a full disk a write raises an error, a map kills the process.
    Threads suffice: Pillow decodes and resizes without holding the interpreter's lock.
    """
    length = size * size * 3
    with target.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), size, size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        start = file.tell()
        file.truncate(start + length * len(paths))

        def put(row: int) -> tuple[int, str, str] | None:
            try:
                pixels = images.decode(paths[row], size)
            except images.BadSample as bad:
                return row, bad.kind, bad.detail
            _write(file.fileno(), pixels.tobytes(), start + row * length)
            return None

        with ThreadPoolExecutor(workers or default_workers()) as pool:
            try:
                return [failed for failed in pool.map(put, range(len(paths))) if failed]
            except BaseException:  # Ctrl-C or a full disk: do not decode the rest first
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _write(handle: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(handle, data, offset)
        data, offset = data[written:], offset + written
