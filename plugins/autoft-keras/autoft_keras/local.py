"""Networks on this machine: a `.keras` file, a folder, or ``NAME@FILE``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.api import ModelCard, PathSource, UsageError, near_file
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


class LocalSource(PathSource):
    """``./model.keras``, a folder with one or with a KerasHub preset, or ``keras/resnet50@./my.weights.h5``.

    With ``@scratch`` behind it, any name or path means the same network with random weights.
    """

    prefix = "keras-local"
    kind = "network"
    prefixes = PREFIXES
    suffixes = SUFFIXES

    def known(self, name: str) -> ModelCard | None:
        card = catalogue.find(name)
        if card is None and name.startswith("keras/"):
            card = catalogue.describe(name)
        if card is not None and card.extra["library"] == "kerashub":
            raise UsageError(
                f"KerasHub keeps the plan of {name} with its weights, so it cannot be made from scratch.",
                "Give the folder of the preset, where you have it: --models ./folder@scratch",
            )
        return card

    def at_hand(self, card: ModelCard) -> bool:
        return caches.at_hand(card) is not None

    def named(self, network: str, path: str) -> ModelCard:
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

    def folder(self, name: str, path: Path) -> ModelCard:
        if (path / MODEL).is_file():
            return self.file(name, path / MODEL)
        if (path / CARD).is_file():
            return _own(kept_card(path / CARD), path / caches.WEIGHTS)
        if (path / SAVED_MODEL).is_file():
            raise UsageError(
                f"a SavedModel is a program that Keras can run, but not cut into layers to fine-tune them: '{name}'.",
                f"Name the architecture that its weights belong to: --models keras/NAME@{name}",
            )
        if (path / caches.WEIGHTS).is_file() and (path / CONFIG).is_file():
            if reason := missing():
                raise UsageError(
                    f"'{name}' is a preset of KerasHub: {reason}.", "python -m pip install 'autoft-keras[hub]'"
                )
            card = card_of_preset(name, path)
            return msgspec.structs.replace(card, weights=str(path.resolve()))
        raise UsageError(
            f"a folder with a network must hold {MODEL}, or a preset of KerasHub ({CONFIG} and {caches.WEIGHTS}), "
            f"but '{name}' holds neither.",
            "Name the file: --models ./FILE.keras, or keras/NAME@FILE.weights.h5",
        )

    def file(self, name: str, path: Path) -> ModelCard:
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
