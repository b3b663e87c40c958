"""Where networks come from, by the prefix of their names. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from autoft.api import BundledSource, ModelCard, UsageError, from_hub, hub_endpoint, json_object, unreachable
from autoft_torch import caches, catalogue, hub
from autoft_torch.encoders import files
from autoft_torch.folders import card_of_config


class Source:
    """What the sources share: a prefix, its part of the catalogue, and a server."""

    prefix = ""

    def catalogue(self) -> Sequence[ModelCard]:
        return catalogue.of(self.prefix)

    def reachable(self) -> str:
        return unreachable(hub_endpoint())

    def owns(self, name: str) -> bool:
        """Names with ``@FILE`` belong to the local source."""
        return name.startswith(self.prefix + "/") and "@" not in name

    def resolve(self, name: str) -> ModelCard | None:
        if not self.owns(name):
            return None
        return catalogue.find(name) or catalogue.describe(name)

    def fetch(self, card: ModelCard) -> ModelCard:
        if not card.weights:
            return card
        path = caches.at_hand(card) or self.bring(card)
        return msgspec.structs.replace(card, weights=str(path), offline=True)

    def bring(self, card: ModelCard) -> Path:
        """Download the weights; gives their file."""
        return from_hub(card.weights.removeprefix(caches.HUB), *caches.WEIGHTS)


class TimmSource(Source):
    """``timm/architecture`` or ``timm/architecture.tag``, weights from the Hugging Face hub."""

    prefix = "timm"


class TorchvisionSource(Source):
    """``torchvision/classifier`` with its default weights from download.pytorch.org."""

    prefix = "torchvision"

    def reachable(self) -> str:
        return unreachable(hub.TORCHVISION)

    def bring(self, card: ModelCard) -> Path:
        return hub.from_address(card.weights)


class AutoftSource(BundledSource):
    """``autoft/network``: small networks of this distribution. Nothing to download."""

    distribution = "autoft-torch"

    def catalogue(self) -> Sequence[ModelCard]:
        return catalogue.of(self.prefix)

    def find(self, name: str) -> ModelCard | None:
        return catalogue.find(name)

    def at_hand(self, card: ModelCard) -> bool:
        return caches.at_hand(card) is not None


class HfSource(Source):
    """``hf/owner/name``: a network of the Hugging Face hub, saved by Transformers or by timm."""

    prefix = "hf"

    def resolve(self, name: str) -> ModelCard | None:
        if not self.owns(name):
            return None
        repo = name.removeprefix(self.prefix + "/")
        if repo.count("/") != 1 or not all(repo.split("/")):
            raise UsageError(f"a network of the hub must be named hf/owner/name, but got '{name}'.")
        if listed := catalogue.find(name):
            return listed
        return self._described(name, from_hub(repo, "config.json"))

    def fetch(self, card: ModelCard) -> ModelCard:
        """The card with weights and configuration, so that a worker opens no connection."""
        repo = card.weights.removeprefix(caches.HUB)
        config = from_hub(repo, "config.json")
        self._bring_beside(repo, files(json_object(config)))
        weights = from_hub(repo, *caches.WEIGHTS)
        described = self._described(card.name, config)
        facts = {"weights": str(weights), "licence": card.licence or described.licence, "params": card.params}
        return msgspec.structs.replace(described, **facts, offline=True)

    def _bring_beside(self, repo: str, names: Sequence[str]) -> None:
        """No repository has all of these files. What is missing and needed is told by whoever reads it."""
        if self.reachable():
            return  # what was downloaded before is all there is
        for name in names:
            try:
                from_hub(repo, name)
            except UsageError:
                continue

    def _described(self, name: str, config: Path) -> ModelCard:
        repo = name.removeprefix(self.prefix + "/")
        card = card_of_config(name, json_object(config), config.parent)
        return caches.mark(msgspec.structs.replace(card, weights=caches.HUB + repo, source="Hugging Face hub"))
