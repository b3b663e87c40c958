"""Keeps a folder of stores below a size: the least recently used ones that nobody has open go first."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from pathlib import Path

from autoft.atomic import DRAFT

LOCKS = importlib.util.find_spec("fcntl") is not None
"""False on Windows: there the age alone protects a store."""
if LOCKS:
    import fcntl

GRACE = 3600.0
"""Seconds since its last use during which a store is never evicted: a trial may be about to open it."""
STALE = 86400.0
"""Seconds after which an unfinished store is taken for one whose builder died."""


def hold(path: Path) -> int:
    """Open a file and hold a shared lock on it until the descriptor is closed or its process ends."""
    handle = os.open(path, os.O_RDONLY)
    if LOCKS:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:  # no locks on this file system, or it is being evicted: opening what follows will tell
            pass
    return handle


def make_room(folder: Path, needed: int, limit: int, grace: float = GRACE) -> list[Path]:
    """Evict stores of `folder` until `needed` more bytes fit below `limit`. Returns those evicted.

    Stores in use stay, even if the limit is then exceeded.
    """
    _sweep(folder)
    stores = sorted(_stores(folder))
    total = sum(size for _, _, size in stores) + needed
    evicted = []
    for used, store, size in stores:
        if total <= limit:
            break
        if time.time() - used > grace and not _in_use(store):
            remove(store)
            total -= size
            evicted.append(store)
    return evicted


def used(folder: Path) -> int:
    """Bytes of all stores of `folder`; what a sparse file has not got yet counts."""
    return sum(size for _, _, size in _stores(folder))


def _stores(folder: Path) -> list[tuple[float, Path, int]]:
    found = []
    for store in folder.iterdir():
        if store.name.startswith(".") or not store.is_dir():
            continue
        try:
            size = sum(file.stat().st_size for file in store.iterdir())
            found.append((store.stat().st_mtime, store, size))
        except FileNotFoundError:
            continue  # another process evicts it right now
    return found


def _in_use(store: Path) -> bool:
    if not LOCKS:
        return False
    try:
        with (store / "store.json").open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _sweep(folder: Path) -> None:
    for draft in folder.glob(DRAFT + "*"):
        try:
            if time.time() - draft.stat().st_mtime > STALE:
                shutil.rmtree(draft, ignore_errors=True)
        except FileNotFoundError:
            continue


def touch(store: Path) -> None:
    """Note that a store is used now."""
    try:
        os.utime(store)
    except OSError:  # another user's cache, read only: then its owner decides what is evicted
        return


def remove(store: Path) -> None:
    """Delete a store; renamed first, so that nobody opens one of which half is gone."""
    grave = store.with_name(f"{DRAFT}gone-{store.name}-{os.getpid()}")
    try:
        os.replace(store, grave)
    except FileNotFoundError:
        return
    shutil.rmtree(grave, ignore_errors=True)
