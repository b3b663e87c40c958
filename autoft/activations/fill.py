"""Fills stores with what a learner extracts: each row once on this machine, whatever number of processes ask for it."""

from __future__ import annotations

import errno
import importlib.util
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from autoft.activations.key import Origin
from autoft.activations.store import ActivationStore, Writer, writing
from autoft.contracts import Cuttable, Feed, Stop
from autoft.data import eviction
from autoft.errors import TrialFailed
from autoft.records import Cut, View

if TYPE_CHECKING:
    from autoft.contracts import Array

SHARD = 128
"""Rows that a process takes on at a time; others take the next ones."""
RUN = 8
"""Rows of a plain view's shard that lie next to each other; its runs are spread over all rows. Classes tend to lie one
after the other, so that whatever is filled when time ends speaks for all of them."""
FLUSH = 32 << 20
"""Bytes after which rows are brought to the disk and marked, so that a stopped process loses little."""
WAIT = 0.05
"""Seconds between two looks at what other processes have filled."""
LOCKS = importlib.util.find_spec("fcntl") is not None


class NoRoom(OSError):
    """The stores do not fit below the limit, or on the disk."""


class Ask(NamedTuple):
    """Rows of one view that must be at hand."""

    view: View
    rows: Array
    """int64, rows of the decoded store, sorted, each once."""
    cuts: tuple[Cut, ...]
    """The first one is needed; the others are filled with what the same pass gives."""


class Filled(NamedTuple):
    """How an `Ask` ended."""

    store: ActivationStore
    """Of the cut that is needed."""
    computed: int
    """Rows that this process has computed; those of other processes not counted."""
    complete: bool
    """False when `stop` ended it early."""


class _Shard(NamedTuple):
    """Rows computed in one go, always the same ones: augmented views draw by place."""

    number: int
    rows: Array


def fill(
    root: Path,
    origin: Origin,
    ask: Ask,
    learner: Cuttable,
    feed: Callable[[Array], Feed],
    total: int,
    max_bytes: int,
    stop: Stop,
) -> Filled:
    """The store of the cut that `ask` needs, with its rows filled.

    Several processes share the work: each claims shards of rows, computes them, and waits for those of the others.
    Rows that were computed before `stop` or an error stay.

    Args:
        root: the folder of all activation stores.
        feed: makes a feed of inputs from rows of the decoded store.
        total: rows of the decoded store.
        max_bytes: that all stores in `root` may have; the least recently used ones go first.

    Raises:
        NoRoom: they do not fit, even without those that nobody uses.
        OSError: they cannot be read or written.
        TrialFailed: the learner gave something else than its cuts say.
    """
    stores = {ask.cuts[0]: _open(root, origin, ask, ask.cuts[0], total, max_bytes)}
    for cut in ask.cuts[1:]:
        with suppress(NoRoom):  # nobody has asked for these yet
            stores[cut] = _open(root, origin, ask, cut, total, max_bytes)
    own, shards, computed = stores[ask.cuts[0]], list(_shards(ask, total)), 0
    with _claims(root / f".claims-{origin.family()}-{ask.view.number}") as claims:
        while todo := [shard for shard in shards if len(own.missing(shard.rows))]:
            idle = True
            for shard in todo:
                if stop():
                    return Filled(own, computed, False)
                if not claims.take(shard.number):
                    continue
                idle = False
                try:
                    count, whole = _compute(stores, ask.view, shard, learner, feed, stop)
                except OSError as error:
                    if error.errno == errno.ENOSPC:  # models must be saved, too: give back what was taken
                        for store in stores.values():
                            eviction.remove(store.folder)
                    raise
                computed += count
                claims.give(shard.number)
                if not whole:
                    return Filled(own, computed, False)
            if idle:
                time.sleep(WAIT)
    return Filled(own, computed, True)


def _open(root: Path, origin: Origin, ask: Ask, cut: Cut, total: int, max_bytes: int) -> ActivationStore:
    """The store of a cut; where there is none, after making room for it."""
    folder = root / origin.key(cut, ask.view, ask.rows.tobytes())
    root.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        needed = total * cut.bytes
        # A lock protects what is in use; where there are no locks, its age must.
        eviction.make_room(root, needed, max_bytes, grace=0.0 if eviction.LOCKS else eviction.GRACE)
        left, free = max_bytes - eviction.used(root), shutil.disk_usage(root).free
        if needed > left:
            raise NoRoom(f"{needed} bytes are needed, but {max(0, left)} of {max_bytes} are not in use by other trials")
        if len(ask.rows) * cut.bytes > free:
            raise NoRoom(f"{len(ask.rows) * cut.bytes} bytes are needed, but the disk has {free} left")
    return ActivationStore.open(folder, cut, total)


def _shards(ask: Ask, total: int) -> Iterator[_Shard]:
    """For plain views by row, so that processes which ask for other rows claim the same ones; else by place."""
    spread = ask.rows // RUN % math.ceil(total / SHARD)
    numbers = np.arange(len(ask.rows)) // SHARD if ask.view.number else spread
    for number in np.unique(numbers).tolist():
        yield _Shard(number, ask.rows[numbers == number])


def _compute(
    stores: Mapping[Cut, ActivationStore],
    view: View,
    shard: _Shard,
    learner: Cuttable,
    feed: Callable[[Array], Feed],
    stop: Stop,
) -> tuple[int, bool]:
    """Compute what is missing of a shard: (rows computed, whether all of it)."""
    rows = next(iter(stores.values())).missing(shard.rows)
    if not len(rows):
        return 0, True  # another process was quicker
    if view.number:
        rows, view = shard.rows, msgspec.structs.replace(view, seed=view.seed + shard.number)
    with ExitStack() as open_files:
        writers = {cut: open_files.enter_context(writing(store)) for cut, store in stores.items()}
        done, waiting = 0, 0
        try:
            for arrays in learner.extract(feed(rows), tuple(writers), view):
                taken = rows[done : done + len(arrays[0])]
                for (cut, writer), values in zip(writers.items(), arrays, strict=True):
                    waiting += _put(writer, cut, taken, values)
                done += len(taken)
                if waiting > FLUSH:
                    waiting = 0
                    _mark(writers.values())
                if done < len(rows) and stop():
                    return done, False
        finally:
            _mark(writers.values())
    if done != len(rows):
        raise TrialFailed(f"extract must give one row per sample ({len(rows)}), but gave {done}.")
    return done, True


def _put(writer: Writer, cut: Cut, rows: Array, values: Array) -> int:
    """Write what is not there yet; returns the bytes written."""
    if values.shape != (len(rows), *cut.shape) or values.dtype != np.dtype(cut.dtype):
        raise TrialFailed(
            f"extract must give {(len(rows), *cut.shape)} {cut.dtype} at depth {cut.depth}, "
            f"but gave {values.shape} {values.dtype}."
        )
    new = np.isin(rows, writer.store.missing(rows))
    writer.put(rows[new], values[new])
    return int(new.sum()) * cut.bytes


def _mark(writers: Iterable[Writer]) -> None:
    for writer in writers:
        writer.mark()


class _Claims:
    """Numbers that this process works on: locks on single bytes of a file, so that one which dies holds none."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def take(self, number: int) -> bool:
        """False if another process has it."""
        return self._lock(("LOCK_EX", "LOCK_NB"), number)

    def give(self, number: int) -> None:
        self._lock(("LOCK_UN",), number)

    def _lock(self, words: tuple[str, ...], number: int) -> bool:
        if not LOCKS:
            return True
        import fcntl

        try:
            fcntl.lockf(self.handle, sum(getattr(fcntl, word) for word in words), 1, number)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:  # a file system without locks: then rows may be computed twice
            return True
        return True


@contextmanager
def _claims(path: Path) -> Iterator[_Claims]:
    """Claims by number, all given back at the end. The file stays: to delete it would race."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield _Claims(handle)
    finally:
        os.close(handle)
