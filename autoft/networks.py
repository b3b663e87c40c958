"""What sources of networks have in common, whatever framework theirs are of. Imports none."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from autoft.errors import TrialFailed, UsageError
from autoft.records import ModelCard
from autoft.vocab import did_you_mean

SCRATCH: Final = "@scratch"
"""Behind a name: the same network with random weights."""
DESCRIBING: Final = 300.0
"""Seconds that another process may take to describe a network."""


class BundledSource(ABC):
    """``autoft/network``: small networks of a distribution. Nothing to download."""

    prefix = "autoft"
    distribution: ClassVar[str]
    """That brings them."""

    @abstractmethod
    def catalogue(self) -> Sequence[ModelCard]: ...

    @abstractmethod
    def find(self, name: str) -> ModelCard | None:
        """The card of a name."""

    @abstractmethod
    def at_hand(self, card: ModelCard) -> bool:
        """Whether its weights are there."""

    def reachable(self) -> str:
        return ""

    def resolve(self, name: str) -> ModelCard | None:
        """None for names of others; those with ``@FILE`` belong to the local source.

        Raises:
            UsageError: there is no such network.
        """
        if not name.startswith(self.prefix + "/") or "@" in name:
            return None
        if card := self.find(name):
            return card
        known = [card.name for card in self.catalogue()]
        raise UsageError(f"autoft has no network '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}.")

    def fetch(self, card: ModelCard) -> ModelCard:
        """The card as it is: a worker elsewhere finds the file in its own installation."""
        if not card.weights or self.at_hand(card):
            return card
        raise UsageError(
            f"the weights of {card.name} must be in the installed {self.distribution}, but '{card.weights}' is not "
            "there.",
            f"Install {self.distribution} again, or name autoft/resnet-s@scratch to train from random weights.",
        )


class PathSource(ABC):
    """Networks on this machine, by path or as ``NAME@FILE``. With ``@scratch`` behind it, any name or path means the
    same network with random weights."""

    prefix: ClassVar[str]
    kind: ClassVar[str]
    """What stands at a path, for messages."""
    prefixes: ClassVar[tuple[str, ...]]
    """Of names that are no paths, whatever folders there are."""
    suffixes: ClassVar[tuple[str, ...]]
    """Of files with weights."""

    @abstractmethod
    def known(self, name: str) -> ModelCard | None:
        """The card of a network that has a name."""

    @abstractmethod
    def named(self, network: str, path: str) -> ModelCard:
        """Weights of a file in a network that is named."""

    @abstractmethod
    def folder(self, name: str, path: Path) -> ModelCard: ...

    @abstractmethod
    def file(self, name: str, path: Path) -> ModelCard: ...

    @abstractmethod
    def at_hand(self, card: ModelCard) -> bool:
        """Whether its weights are there."""

    def catalogue(self) -> Sequence[ModelCard]:
        return ()

    def reachable(self) -> str:
        return ""

    def resolve(self, name: str) -> ModelCard | None:
        """None for names of others.

        Raises:
            UsageError: nothing is there, or it is no network.
        """
        if name.endswith(SCRATCH):
            return self._scratch(name)
        network, at, path = name.partition("@")
        if at and network.partition("/")[0] in self.prefixes:
            return self.named(network, path)
        if not self._is_path(name):
            return None
        place = Path(name).expanduser()
        if not place.exists():
            raise UsageError(f"there is no {self.kind} at '{name}'.{near_file(place)}")
        card = self.folder(name, place) if place.is_dir() else self.file(name, place)
        return msgspec.structs.replace(card, name=name, source="this machine", offline=True, pretrained=True)

    def fetch(self, card: ModelCard) -> ModelCard:
        if card.pretrained and not self.at_hand(card):
            raise UsageError(f"the weights of {card.name} must be at {card.weights}, but are not there any more.")
        return card

    def _scratch(self, name: str) -> ModelCard | None:
        base = name.removesuffix(SCRATCH)
        card = self.resolve(base)
        if card is None and base.partition("/")[0] in self.prefixes:
            card = self.known(base)
        if card is None:
            return None
        facts = {"pretrained": False, "weights": "", "offline": True, "summary": "trained from scratch, as asked"}
        return msgspec.structs.replace(card, name=name, **facts)

    def _is_path(self, name: str) -> bool:
        if name.startswith((".", "/", "~")):
            return True
        return name.partition("/")[0] not in self.prefixes and (Path(name).exists() or name.endswith(self.suffixes))


def check_bundled(card: ModelCard, path: Path, distribution: str) -> None:
    """
    Raises:
        TrialFailed: the file is not the one that was shipped.
    """
    wanted = card.extra.get("sha256")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if wanted and found != wanted:
        raise TrialFailed(
            f"the weights of {card.name} must have the SHA-256 {wanted}, but those at {path} have {found}.",
            f"The file was changed or damaged: install {distribution} again.",
        )


def described(module: str, name: str, environment: Mapping[str, str] | None = None) -> ModelCard:
    """The card of a network that no catalogue lists, found out by ``python -m module name`` in another process.

    Its last line of JSON is ``{"card": ...}``, or ``{"error": ..., "hint": ...}`` in words for the user.

    Args:
        environment: variables of that process, beside those of this one.

    Raises:
        UsageError: there is no such network, or the named file does not fit it.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, name],
        capture_output=True,
        text=True,
        check=False,
        timeout=DESCRIBING,
        env={**os.environ, **(environment or {})},
    )
    answer: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            answer = json.loads(line)
    if "error" in answer:
        raise UsageError(answer["error"], answer["hint"])
    if "card" not in answer:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise UsageError(
            f"'{name}' cannot be described: {last}", "See `autoft env` for the libraries that are installed."
        )
    return msgspec.convert(answer["card"], ModelCard)


def json_object(path: Path) -> dict[str, Any]:
    """What a file says of a network.

    Raises:
        UsageError: the file cannot be read, or holds no JSON object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} must be readable JSON, but is not: {error}") from error
    if not isinstance(values, dict):
        raise UsageError(f"{path} must hold one JSON object, but holds a {type(values).__name__}.")
    return values


def near_file(path: Path) -> str:
    """What the user may have meant by a path where nothing is, as the end of a message."""
    if not path.parent.is_dir():
        return f" {path.parent} does not exist either."
    return did_you_mean(path.name, [other.name for other in path.parent.iterdir()])
