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
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autoft.data import cache, eviction, images, masks
from autoft.data.inspect import default_workers
from autoft.errors import DataError
from autoft.records import Dataset, Issue

if TYPE_CHECKING:
    from autoft.contracts import Array

ABOUT = "store.json"
MASK = "mask"
"""Field of the class indices that stand beside the images."""


class Store:
    """One decoded data set. Rows stand in the order of the samples it was built from.

    While a store is open, a lock on `store.json` keeps other processes from evicting it.
    """

    def __init__(self, folder: Path, about: dict[str, Any], arrays: dict[str, Array], lock: int) -> None:
        self.folder = folder
        self.fingerprint: str = about["fingerprint"]
        self.size: int = about["size"]
        self.field: str = about["field"]
        self.bad: dict[int, tuple[str, str]] = {int(row): (kind, text) for row, kind, text in about["bad"]}
        """Rows without pixels (all zero): kind and detail of the issue."""
        self.remarks: dict[int, str] = {int(row): text for row, text in about.get("remarks", ())}
        """Rows whose masks can be used, though something is wrong with them."""
        self.arrays: dict[str, Array] = arrays
        """Field -> read-only uint8 (rows, size, size, 3), and `mask` uint8 or uint16 (rows, size, size) where the data
        have them; mapped from disk."""
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
            arrays = {
                field: np.load(folder / f"{field}.npy", mmap_mode="r", allow_pickle=False)
                for field in (about["field"], *([MASK] if about.get("masks") else []))
            }
            store = cls(folder, about, arrays, lock)
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
    dataset: Dataset,
    digests: Sequence[str],
    field: str,
    size: int,
    root: Path,
    workers: int = 0,
    labels: masks.Labels | None = None,
) -> tuple[Store, tuple[Issue, ...]]:
    """Decode all images of `dataset` to (size, size, 3), or open the store that already holds them.

    The key is made of the files' hashes in order, the size and the decoder's version; labels and splits are
    not in it, so that relabelled data reuse the pixels, but masks are. Samples that cannot be decoded become issues;
    their rows are zero. Several processes may build the same store at once: the first to finish wins.

    Args:
        digests: one hash per sample, from `inspect`.
        root: the cache folder; the store lies in `stores/` below it.
        labels: masks to be decoded beside the images.

    Raises:
        UsageError: the cache cannot be written or has no room.
    """
    key = fingerprint(digests, field, size, masks.fingerprint(labels, workers) if labels else "")
    folder = root / "stores" / key
    store = _existing(folder)
    if store is None:
        paths = [str(sample.fields[field]) for sample in dataset.samples]
        plan = _Plan(paths, field, size, labels)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            eviction.make_room(folder.parent, sum(len(paths) * file.length for file in plan.files), cache.cache_limit())
            _build(folder, plan, key, workers)
        except OSError as error:
            raise cache.unusable(root, error) from error
        store = Store.open(folder)
    names = [sample.id for sample in dataset.samples]
    bad = [Issue(kind=kind, subject=names[row], detail=text) for row, (kind, text) in sorted(store.bad.items())]
    remarks = sorted(store.remarks.items())
    told = [Issue(kind="mask_remark", subject=names[row], detail=text, drops=False) for row, text in remarks]
    return store, (*bad, *told)


def _existing(folder: Path) -> Store | None:
    """The finished store of an earlier run, if it is whole. A damaged one makes way for a new one."""
    if not folder.is_dir():
        return None
    try:
        return Store.open(folder)
    except DataError:
        eviction.remove(folder)
        return None


def fingerprint(digests: Sequence[str], field: str, size: int, mask: str = "") -> str:
    """The key of a store, 32 hexadecimal digits."""
    head = f"{images.DECODER}|{field}|{size}|{len(digests)}" + (f"|{mask}" if mask else "")
    state = hashlib.blake2b(head.encode(), digest_size=16)
    for digest in digests:
        state.update(digest.encode() + b"\n")
    return state.hexdigest()


class _File(NamedTuple):
    """One array of a store."""

    field: str
    dtype: str
    shape: tuple[int, ...]
    """Of one row."""

    @property
    def length(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


class _Plan:
    """What goes into a store, row by row."""

    def __init__(self, paths: list[str], field: str, size: int, labels: masks.Labels | None) -> None:
        self.paths, self.field, self.size, self.labels = paths, field, size, labels
        self.files = [_File(field, "uint8", (size, size, 3))]
        if labels:
            self.files.append(_File(MASK, labels.dtype, (size, size)))

    def rows(self, number: int) -> tuple[list[Array], str]:
        """One row of each file, and what is to be said of its mask."""
        pixels = images.decode(self.paths[number], self.size)
        if not self.labels:
            return [pixels], ""
        index, remark = masks.decode(number, self.labels, self.size, self.paths[number])
        return [pixels, index], remark


def _build(folder: Path, plan: _Plan, key: str, workers: int) -> None:
    draft = folder.with_name(f"{eviction.DRAFT}{key}-{os.getpid()}-{secrets.token_hex(4)}")
    draft.mkdir()
    try:
        bad, remarks = _fill(draft, plan, workers)
        about = {"fingerprint": key, "field": plan.field, "size": plan.size, "decoder": images.DECODER, "bad": bad}
        if plan.labels:
            about |= {"masks": masks.DECODER, "remarks": remarks}
        (draft / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        try:
            os.replace(draft, folder)
        except OSError:
            if not (folder / ABOUT).is_file():
                raise
            # Another process has finished the same store; ours is not needed.
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(draft: Path, plan: _Plan, workers: int) -> tuple[list[tuple[int, str, str]], list[tuple[int, str]]]:
    """Write the arrays row by row, in any order. Returns (row, kind, detail) of those that failed, and remarks.

    Plain writes instead of a writable map: on a full disk a write raises an error, a map kills the process.
    Threads suffice: Pillow decodes and resizes without holding the interpreter's lock.
    """
    failed: list[tuple[int, str, str]] = []
    remarks: list[tuple[int, str]] = []
    with ExitStack() as stack:
        opened = [(file, *_begun(stack, draft, file, len(plan.paths))) for file in plan.files]

        def put(row: int) -> None:
            try:
                arrays, remark = plan.rows(row)
            except images.BadSample as bad:
                failed.append((row, bad.kind, bad.detail))
                return
            if remark:
                remarks.append((row, remark))
            for (file, handle, start), array in zip(opened, arrays, strict=True):
                _write(handle, array.tobytes(), start + row * file.length)

        with ThreadPoolExecutor(workers or default_workers()) as pool:
            try:
                list(pool.map(put, range(len(plan.paths))))
            except BaseException:  # Ctrl-C or a full disk: do not decode the rest first
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return sorted(failed), sorted(remarks)


def _begun(stack: ExitStack, draft: Path, file: _File, rows: int) -> tuple[int, int]:
    """A file of zeros for an array: its handle, and where its first row begins."""
    opened = stack.enter_context((draft / f"{file.field}.npy").open("wb"))
    descr = np.lib.format.dtype_to_descr(np.dtype(file.dtype))
    header = {"descr": descr, "fortran_order": False, "shape": (rows, *file.shape)}
    np.lib.format.write_array_header_1_0(opened, header)
    opened.flush()
    start = opened.tell()
    opened.truncate(start + file.length * rows)
    return opened.fileno(), start


def _write(handle: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(handle, data, offset)
        data, offset = data[written:], offset + written
