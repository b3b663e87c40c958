"""Samples decoded once and shared by all trials: memory-mapped arrays in a folder of the cache."""

from __future__ import annotations

import hashlib
import json
import math
import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from autoft import atomic
from autoft.data import cache, eviction
from autoft.data.filling import Plan, Remark, fill
from autoft.data.forms import Form
from autoft.errors import DataError
from autoft.records import Dataset, Decoding, Issue

if TYPE_CHECKING:
    from autoft.contracts import Array

ABOUT = "store.json"


class Store:
    """One decoded data set. Rows stand in the order of the samples it was built from.

    While a store is open, a lock on `store.json` keeps other processes from evicting it.
    """

    def __init__(self, folder: Path, about: dict[str, Any], arrays: dict[str, Array], lock: int) -> None:
        self.folder = folder
        self.fingerprint: str = about["fingerprint"]
        self.decoding: Decoding = msgspec.convert(about["decoding"], Decoding)
        self.rows: int = about["rows"]
        self.bad: dict[int, tuple[str, str]] = {int(row): (kind, text) for row, kind, text in about["bad"]}
        """Rows without pixels (all zero): kind and detail of the issue."""
        self.remarks: list[Remark] = [Remark(*remark) for remark in about.get("remarks", ())]
        """What is wrong with rows that can be used."""
        self.arrays: dict[str, Array] = arrays
        """Key -> read-only (rows, ...), as the forms it was built from say; mapped from disk."""
        self._unlock = weakref.finalize(self, os.close, lock)

    def __len__(self) -> int:
        return self.rows

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
            arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r", allow_pickle=False) for key in about["files"]}
            store = cls(folder, about, arrays, lock)
        except (OSError, ValueError, KeyError, TypeError) as error:
            os.close(lock)
            raise _unreadable(folder, error) from error
        eviction.touch(folder)
        return store


def _unreadable(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"the decoded samples must be at '{folder}', but they cannot be read: {error}.",
        "Run the search again: it decodes them anew.",
    )


def build(
    dataset: Dataset,
    digests: Sequence[str],
    wanted: Sequence[Form],
    decoding: Decoding,
    root: Path,
    workers: int = 0,
    within: float = math.inf,
) -> tuple[Store, tuple[Issue, ...]]:
    """Decode all samples of `dataset`, or open the store that already holds them.

    The key is made of the files' hashes in order and of the forms; labels and splits are not in it, so that relabelled
    data reuse the pixels, but masks are. Samples that cannot be decoded become issues; their rows are zero. Several
    processes may build the same store at once: the first to finish wins.

    Args:
        digests: one hash per sample, from `inspect`.
        wanted: what is kept of each sample.
        decoding: with which they were made.
        root: the cache folder; the store lies in `stores/` below it.
        within: seconds that decoding may take; a store that is there already takes none.

    Raises:
        UsageError: the cache cannot be written or has no room.
        TooSlow: decoding would take longer than `within`.
    """
    kept = [form for form in wanted if form.stored]
    key = fingerprint(digests, wanted, workers)
    folder = root / "stores" / key
    store = _existing(folder)
    if store is None:
        plan = Plan(dataset.samples, kept)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            size = sum(len(dataset.samples) * file.length for file in plan.files)
            eviction.make_room(folder.parent, size, cache.cache_limit())
            _build(folder, plan, key, decoding, workers, within)
        except OSError as error:
            raise cache.unusable(root, error) from error
        store = Store.open(folder)
    names = [sample.id for sample in dataset.samples]
    bad = [Issue(kind=kind, subject=names[row], detail=text) for row, (kind, text) in sorted(store.bad.items())]
    told = [Issue(kind=r.kind, subject=names[r.row], detail=r.detail, drops=False) for r in sorted(store.remarks)]
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


def fingerprint(digests: Sequence[str], wanted: Sequence[Form], workers: int = 0) -> str:
    """The key of a store, 32 hexadecimal digits."""
    head = "|".join([*(form.key(workers) for form in wanted), str(len(digests))])
    state = hashlib.blake2b(head.encode(), digest_size=16)
    for digest in digests:
        state.update(digest.encode() + b"\n")
    return state.hexdigest()


def _build(folder: Path, plan: Plan, key: str, decoding: Decoding, workers: int, within: float) -> None:
    with atomic.first(folder, ABOUT) as draft:
        bad, remarks = fill(draft, plan, workers, within)
        about = {
            "fingerprint": key,
            "rows": len(plan.samples),
            "decoding": msgspec.to_builtins(decoding),
            "files": [file.key for file in plan.files],
            "bad": bad,
            "remarks": remarks,
        }
        (draft / ABOUT).write_text(json.dumps(about), encoding="utf-8")
