"""Where networks come from, by the prefix of their names. Imports no framework."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import msgspec

from autoft.api import BundledSource, ModelCard, UsageError, did_you_mean, from_hub, hub_endpoint, unreachable
from autoft_keras import caches, catalogue, hub
from autoft_keras.folders import card_of_preset


class Source:
    """What the sources share: a prefix and its part of the catalogue."""

    prefix = ""

    def catalogue(self) -> Sequence[ModelCard]:
        return catalogue.of(self.prefix)

    def owns(self, name: str) -> bool:
        """Names with ``@FILE`` belong to the local source."""
        return name.startswith(self.prefix + "/") and "@" not in name


class KerasSource(Source):
    """``keras/classifier``: keras.applications, with weights from the addresses that Keras itself names."""

    prefix = "keras"

    def reachable(self) -> str:
        return unreachable(hub.KERAS)

    def resolve(self, name: str) -> ModelCard | None:
        if not self.owns(name):
            return None
        return catalogue.find(name) or catalogue.describe(name)

    def fetch(self, card: ModelCard) -> ModelCard:
        """The card with its weights' file, so that a worker opens no connection."""
        if not card.weights:
            return card
        path = caches.at_hand(card) or hub.from_address(card.weights, card.extra["file"], card.extra["checksum"])
        return msgspec.structs.replace(card, weights=str(path), offline=True)


class AutoftSource(BundledSource):
    """``autoft/network``: small networks of this distribution. Nothing to download."""

    distribution = "autoft-keras"

    def catalogue(self) -> Sequence[ModelCard]:
        return catalogue.of(self.prefix)

    def find(self, name: str) -> ModelCard | None:
        return catalogue.find(name)

    def at_hand(self, card: ModelCard) -> bool:
        return caches.at_hand(card) is not None


class KerasHubSource(Source):
    """``kerashub/preset`` or ``kerashub/owner/name``: image encoders, encoders of texts, segmenters and
    detectors of KerasHub.

    Their weights come from the Hugging Face hub, where Keras keeps its presets as ``keras/preset``. What kagglehub
    brought before is found as well.
    """

    prefix = "kerashub"

    def catalogue(self) -> Sequence[ModelCard]:
        """Nothing where KerasHub, an optional extra, is not installed."""
        return () if missing() else catalogue.of(self.prefix)

    def reachable(self) -> str:
        return unreachable(hub_endpoint())

    def resolve(self, name: str) -> ModelCard | None:
        if not self.owns(name):
            return None
        if reason := missing():
            raise UsageError(f"{name} needs KerasHub: {reason}.", "python -m pip install 'autoft-keras[hub]'")
        if listed := catalogue.find(name):
            return listed
        preset = name.removeprefix(self.prefix + "/")
        if preset.count("/") != 1 or not all(preset.split("/")):
            known = [card.name for card in catalogue.of(self.prefix)]
            raise UsageError(
                f"KerasHub has no preset '{preset}' of an image classifier.{did_you_mean(name, known)}",
                "A repository of the Hugging Face hub is named kerashub/owner/name, a folder as ./folder.",
            )
        folder = from_hub(preset, caches.CONFIG).parent
        _bring(preset, (caches.TOKENIZER,))  # of an encoder of texts; others have none
        return self._described(name, folder, caches.HUB + preset)

    def fetch(self, card: ModelCard) -> ModelCard:
        """The card with weights and configuration, so that a worker opens no connection."""
        repo = card.weights.removeprefix(caches.HUB)
        folder = caches.at_hand(card)
        if folder is None:
            folder = from_hub(repo, caches.CONFIG).parent
            _bring(repo, caches.CONVERTERS)  # without one, pixels stay as they are
            vocabularies = [f"{caches.TOKENIZER_FOLDER}/{name}" for name in caches.VOCABULARIES]
            for name in ("metadata.json", caches.TOKENIZER, *(vocabularies if card.modality == "text" else ())):
                _bring(repo, (name,))
            for name in (caches.TASK, caches.TASK_WEIGHTS) if "boxes" in card.native else ():
                _bring(repo, (name,))
            from_hub(repo, caches.WEIGHTS)
        described = self._described(card.name, folder, str(folder))
        facts = {"licence": card.licence or described.licence, "params": card.params or described.params}
        return msgspec.structs.replace(described, **facts, prior=card.prior, offline=True)

    def _described(self, name: str, folder: Path, weights: str) -> ModelCard:
        card = card_of_preset(name, folder)
        return caches.mark(msgspec.structs.replace(card, weights=weights, source="KerasHub"))


def _bring(repo: str, names: Sequence[str]) -> None:
    """The first of these files that a repository has, if it has any. What is missing and needed is told by whoever
    reads it."""
    try:
        from_hub(repo, *names)
    except UsageError:
        pass


def missing() -> str:
    """Why KerasHub cannot be used, or an empty string. Nothing is imported."""
    return "" if importlib.util.find_spec("keras_hub") else "it is not installed"
