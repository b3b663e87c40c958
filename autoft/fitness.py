"""Whether a machine can run the trials of a search: what would let all of them fail there, and on no other machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from autoft import registry, remote, trial
from autoft.data import cache
from autoft.errors import AutoftError
from autoft.records import Record, TrialSpec, from_json

ROOM: Final = 100_000_000
"""Bytes that a node's cache should have left, at least."""


class Needs(Record):
    """What the trials of a search have in common."""

    specs: tuple[TrialSpec, ...]
    """One for each backend."""


def unfit(payload: str) -> str:
    """Why this machine cannot run them, in words; empty if nothing speaks against it."""
    for spec in from_json(payload, Needs).specs:
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
    return _without_room(cache.cache_root())


def _without_room(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"1")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"its cache '{folder}' cannot be written ({error.strerror or error})"
    return f"its cache '{folder}' has {free / 1e6:,.0f} MB left" if free < ROOM else ""
