"""Networks on this machine: a `.keras` file, a folder, or ``NAME@FILE``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from autoft.api import ModelCard, UsageError, names_file, near_file, still_there, untrained
from autoft_keras import caches, catalogue
from autoft_keras.folders import CARD, CONFIG, card_of_preset, kept_card, keras_config, own_card
from autoft_keras.sources import missing

#: Libraries whose networks can take a file's weights.
NAMED = ("keras",)
PREFIXES = (*NAMED, "autoft", "kerashub")
#: A whole network, and what may also be weights alone.
WHOLE = ".keras"
SUFFIXES = (WHOLE, ".h5")
#: What the learner saves, and what TensorFlow does.
MODEL, SAVED_MODEL = "model.keras", "saved_model.pb"
SCRATCH = "@scratch"


class LocalSource:
    """``./model.keras``, a folder with one or with a KerasHub preset, or ``keras/resnet50@./my.weights.h5``.

    With ``@scratch`` behind it, any name or path means the same network with random weights.
    """

    prefix = "keras-local"

    def catalogue(self) -> Sequence[ModelCard]:
        return ()

    def reachable(self) -> str:
        return ""

    def resolve(self, name: str) -> ModelCard | None:
        if name.endswith(SCRATCH):
            return self._scratch(name)
        network, at, path = name.partition("@")
        if at and network.partition("/")[0] in PREFIXES:
            return _named(network, path)
        if not names_file(name, PREFIXES, SUFFIXES):
            return None
        path_ = Path(name).expanduser()
        if not path_.exists():
            raise UsageError(f"there is no network at '{name}'.{near_file(path_)}")
        card = _folder(name, path_) if path_.is_dir() else _file(name, path_)
        return msgspec.structs.replace(card, name=name, source="this machine", offline=True, pretrained=True)

    def fetch(self, card: ModelCard) -> ModelCard:
        return still_there(card, caches.at_hand(card))

    def _scratch(self, name: str) -> ModelCard | None:
        base = name.removesuffix(SCRATCH)
        card = self.resolve(base)
        if card is None and base.partition("/")[0] in PREFIXES:
            card = catalogue.find(base)
            if card is None and base.startswith("keras/"):
                card = catalogue.describe(base)
            if card is not None and card.extra["library"] == "kerashub":
                raise UsageError(
                    f"KerasHub keeps the plan of {base} with its weights, so it cannot be made from scratch.",
                    "Give the folder of the preset, where you have it: --models ./folder@scratch",
                )
        return card and untrained(card, name)


def _named(network: str, path: str) -> ModelCard:
    """Weights of a file in a network that is named; another process builds it and compares the arrays."""
    if network.partition("/")[0] not in NAMED:
        raise UsageError(f"NAME in NAME@FILE must be one of keras/..., but got '{network}'.")
    weights = Path(path).expanduser()
    if not weights.exists():
        raise UsageError(f"there is no weights file at '{path}'.{near_file(weights)}")
    if weights.is_dir() and not (weights / SAVED_MODEL).is_file():
        if not (weights / MODEL).is_file():
            raise UsageError(f"a folder of weights must hold {SAVED_MODEL} or {MODEL}, but '{path}' has neither.")
        weights = weights / MODEL
    if weights.is_file() and not weights.name.endswith(SUFFIXES):
        raise UsageError(f"a weights file must end in one of {', '.join(SUFFIXES)}, but got '{path}'.")
    card = catalogue.describe(f"{network}@{weights}")
    return msgspec.structs.replace(card, name=f"{network}@{path}", source="this machine", offline=True)


def _folder(name: str, folder: Path) -> ModelCard:
    if (folder / MODEL).is_file():
        return _file(name, folder / MODEL)
    if (folder / CARD).is_file():
        return _own(kept_card(folder / CARD), folder / caches.WEIGHTS)
    if (folder / SAVED_MODEL).is_file():
        raise UsageError(
            f"a SavedModel is a program that Keras can run, but not cut into layers to fine-tune them: '{name}'.",
            f"Name the architecture that its weights belong to: --models keras/NAME@{name}",
        )
    if (folder / caches.WEIGHTS).is_file() and (folder / CONFIG).is_file():
        if reason := missing():
            raise UsageError(
                f"'{name}' is a preset of KerasHub: {reason}.", "python -m pip install 'autoft-keras[hub]'"
            )
        card = card_of_preset(name, folder)
        return msgspec.structs.replace(card, weights=str(folder.resolve()))
    raise UsageError(
        f"a folder with a network must hold {MODEL}, or a preset of KerasHub ({CONFIG} and {caches.WEIGHTS}), "
        f"but '{name}' holds neither.",
        "Name the file: --models ./FILE.keras, or keras/NAME@FILE.weights.h5",
    )


def _file(name: str, path: Path) -> ModelCard:
    if path.suffix == WHOLE:
        if card := own_card(path):
            return _own(card, path)
        keras_config(path)  # refuses code before anything is imported
        return catalogue.describe(str(path.resolve()))
    if not path.name.endswith(SUFFIXES):
        raise UsageError(f"a file with a network must end in one of {', '.join(SUFFIXES)}, but got '{name}'.")
    raise UsageError(
        f"a weights file does not say which network it is for: '{name}'.",
        f"Name the architecture: --models keras/NAME@{name}",
    )


def _own(card: ModelCard, weights: Path) -> ModelCard:
    """A model that autoft fine-tuned before; its backbone is taken up again under a new head."""
    summary = f"fine-tuned by autoft from {card.name}"
    place = weights.resolve()
    if card.modality == "text":
        card = msgspec.structs.replace(card, folder=str(place.parent), files=caches.KEPT_FILES)
    return msgspec.structs.replace(card, weights=str(place), summary=summary, extra={**card.extra, "own": True})
