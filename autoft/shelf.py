"""Where models lie: in a folder, or at an address that all nodes reach.

A trial keeps one model. At an address every new best one goes into a folder of its own, `0005-1f3a/`, and the
older ones are deleted after it is whole: whoever reads meanwhile finds a whole model.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from autoft import artifact, measured, remote
from autoft.data import cache
from autoft.errors import UsageError
from autoft.records import ModelCard, from_json

if TYPE_CHECKING:
    from autoft.contracts import Learner

TRIES = 3


def save(place: str, learner: Learner, config: artifact.Config) -> None:
    """Keep this model at `place` instead of the one that is there.

    Raises:
        UsageError: the address cannot be written.
    """
    if not remote.is_address(place):
        artifact.save(Path(place), learner, config)
        return
    before = _versions(place)
    with tempfile.TemporaryDirectory(prefix="autoft-") as scratch:
        model = Path(scratch) / "model"
        artifact.save(model, learner, config)
        goal = remote.join(place, f"{config.epoch:04d}-{secrets.token_hex(4)}")
        remote.push(model, goal, last=artifact.CONFIG)
    for name in before:
        remote.remove(remote.join(place, name))


def kept(place: str) -> artifact.Config | None:
    """The configuration of the model that is there, if one is."""
    if not remote.is_address(place):
        return artifact.read(Path(place)) if (Path(place) / artifact.CONFIG).is_file() else None
    versions = _versions(place)
    if not versions:
        return None
    return from_json(remote.read(remote.join(place, versions[-1], artifact.CONFIG)), artifact.Config)


def fetch(place: str, folder: Path) -> None:
    """Copy the model at an address into the new folder `folder`.

    Raises:
        UsageError: none is there, or it cannot be read.
    """
    for attempt in range(1, TRIES + 1):
        versions = _versions(place)
        if not versions:
            raise UsageError(f"there is no model at '{place}'.")
        try:
            remote.pull(remote.join(place, versions[-1]), folder, artifact.CONFIG, alone=True)
            return
        except UsageError:
            if attempt == TRIES or versions == _versions(place):
                raise  # not because a better model has just taken its place


@contextmanager
def at_hand(place: str) -> Iterator[Path]:
    """The model's folder on this machine, for as long as the context lasts."""
    if not remote.is_address(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="autoft-") as scratch:
        fetch(place, Path(scratch) / "model")
        yield Path(scratch) / "model"


def with_weights(card: ModelCard) -> ModelCard:
    """The card with its weights, and what else the network needs, on this machine.

    At an address of weights lies a folder with the one file or folder that they are; it is copied into the cache, once.

    Raises:
        UsageError: they cannot be copied.
    """
    if remote.is_address(card.weights):
        (entry,) = _pulled(card.weights).iterdir()
        card = msgspec.structs.replace(card, weights=str(entry))
    if remote.is_address(card.folder):
        card = msgspec.structs.replace(card, folder=str(_pulled(card.folder)))
    return card


def cached(address: str) -> Path:
    """Where the files of an address of weights lie in the cache of this machine, if they were copied there."""
    return cache.cache_root() / "weights" / hashlib.blake2b(address.encode(), digest_size=16).hexdigest()


def _pulled(address: str) -> Path:
    folder = cached(address)
    if not folder.is_dir():
        with measured.once():
            remote.pull(address, folder)
    return folder


def _versions(place: str) -> list[str]:
    """The folders of whole models, by epoch."""
    names = [name.split("/") for name in remote.sizes(place)]
    return sorted(parts[0] for parts in names if len(parts) == 2 and parts[1] == artifact.CONFIG)
