"""What was measured on this machine once: further trials, processes and searches go by the same answer. Also what else
is done once there, since its time says nothing of later ones."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from autoft import atomic
from autoft.data.cache import machine_root

LOG = logging.getLogger(__name__)
FOLDER: Final = "measured"
"""Of the cache. It may be deleted at any time: then it is measured again."""
ANSWER: Final = "answer"
"""The file with it, in a folder for each measurement."""


_took: list[float] = []
"""Seconds of all that this process has done once."""


def taken() -> float:
    """Seconds that this process has spent on what is done once on a machine: they say nothing of what comes later."""
    return sum(_took)


@contextmanager
def once() -> Iterator[None]:
    """What is done in it is done once on this machine, such as a copy that later processes find in the cache."""
    began = time.perf_counter()
    try:
        yield
    finally:
        _took.append(time.perf_counter() - began)


def measured(what: str, key: Any, measure: Callable[[], str]) -> str:
    """What `measure` gave when it was first asked for this key on this machine. Nothing is kept while it gives "".

    Of several that are asked at a time, the first that is done is believed. Times differ from run to run: a choice that
    rests on them would do so as well, and with it the trials of a search.

    Args:
        what: a word for the kind of measurement, as part of a folder's name.
        key: all that decides the answer, down to versions, in what JSON knows.
    """
    digest = hashlib.blake2b(msgspec.json.encode(key, order="sorted"), digest_size=16).hexdigest()
    place = machine_root(FOLDER) / f"{what}-{digest}"
    try:
        return (place / ANSWER).read_text(encoding="utf-8")
    except OSError:  # not measured yet
        with once():
            found = measure()
    if not found:
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic.first(place, ANSWER) as draft:
            (draft / ANSWER).write_text(found, encoding="utf-8")
        return (place / ANSWER).read_text(encoding="utf-8")
    except OSError as error:
        LOG.info("%s is measured in each process, since its answer cannot be kept: %s", what, error)
        return found
