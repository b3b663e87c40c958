"""Whether a machine can run the trials of a search: what would let all of them fail there, and on no other machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from autoft import registry, remote, shelf, trial, trialdata
from autoft.data import cache, eviction
from autoft.data.store import ABOUT
from autoft.errors import AutoftError, UsageError
from autoft.records import Record, TrialSpec, from_json

ROOM: Final = 100_000_000
"""Bytes that a node's cache should have left, at least, beside what will be copied into it."""
APART: Final = 5.0
"""Seconds by which the clock of a machine may differ from the driver's: trials end at a time that the driver names."""


class Needs(Record):
    """What the trials of a search have in common."""

    specs: tuple[TrialSpec, ...]
    """One for each backend."""


def unfit(payload: str) -> str:
    """Why this machine cannot run them, in words; empty if nothing speaks against it."""
    specs = from_json(payload, Needs).specs
    for spec in specs:
        try:
            trial.refuse_other_versions(spec)
            plugins = registry.installed()
            plugins.get("task", spec.task)
            plugins.get("backend", spec.backend)
        except AutoftError as error:
            return str(error)
        for place in (spec.data.dataset, spec.data.store):
            if not remote.is_address(place) and not Path(place).exists():
                return f"{place} is not seen there; every node must mount --storage at the same path"
        above = Path(spec.folder).parent.parent
        if not remote.is_address(spec.folder) and not os.access(above, os.W_OK):
            return f"{above} cannot be written there"
    try:
        coming = max(map(_to_come, specs), default=0)
    except UsageError as error:  # no credentials, no pyarrow, or nothing there: each trial would fail by it
        return str(error)
    return _without_room(cache.cache_root(), coming)


def wrong_clock(there: float, sent: float, heard: float) -> str:
    """What is wrong with the clock of a machine that says it is `there`, in words; empty if nothing is.

    Args:
        sent, heard: by the driver's clock, when the machine was asked, and when its answer came.
    """
    ahead = there - heard if there > heard else min(0.0, there - sent)  # at least
    if abs(ahead) <= APART:
        return ""
    side = "ahead of" if ahead > 0 else "behind"
    return (
        f"its clock is {abs(ahead):,.0f} s {side} the driver's, by which trials end; let both machines set theirs by "
        "the network (NTP, for example with chrony)"
    )


def _to_come(spec: TrialSpec) -> int:
    """Bytes by which the cache grows when the samples and weights of this trial are copied into it.

    Raises:
        UsageError: they cannot be read, or are not there.
    """
    ref, stores = spec.data, trialdata.cached(spec.data).parent
    size = _missing(ref.store, trialdata.cached(ref) / ABOUT)
    grown = eviction.used(stores) if size and stores.is_dir() else 0
    goes = min(grown, max(0, grown + size - cache.cache_limit()))  # older stores make room
    return size - goes + sum(_missing(place, shelf.cached(place)) for place in (spec.card.weights, spec.card.folder))


def _missing(place: str, copy: Path) -> int:
    """Bytes at an address of which there is no copy yet."""
    if not remote.is_address(place) or copy.exists():
        return 0
    size = sum(remote.sizes(place).values())
    if not size:
        raise UsageError(f"'{place}' must hold files, but there are none, seen from there.")
    return size


def _without_room(folder: Path, coming: int) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"1")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"its cache '{folder}' cannot be written ({error.strerror or error})"
    if free >= coming + ROOM:
        return ""
    copied = f", but {coming / 1e6:,.0f} MB of samples and weights must be copied there" if coming else ""
    return f"its cache '{folder}' has {free / 1e6:,.0f} MB left{copied}"
