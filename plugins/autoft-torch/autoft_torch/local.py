"""Networks on this machine: a checkpoint folder or file, or ``NAME@FILE``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.api import ModelCard, PathSource, UsageError, json_object, near_file
from autoft_torch import caches, catalogue, encoders
from autoft_torch.folders import card_of_config, count, header, own_card

#: Libraries whose networks can take a file's weights.
NAMED = ("timm", "torchvision")
PREFIXES = (*NAMED, "autoft", "hf")
SUFFIXES = (".safetensors", ".pth", ".pt", ".th", ".bin")
HEADS = ("classifier.", "fc.", "head.", "heads.")


class LocalSource(PathSource):
    """A folder saved by timm, Transformers or autoft (``./ckpt``), or ``timm/resnet18@./weights.pth``.

    With ``@scratch`` behind it, any name or folder means the same network with random weights.
    """

    prefix = "local"
    kind = "checkpoint"
    prefixes = PREFIXES
    suffixes = SUFFIXES

    def known(self, name: str) -> ModelCard | None:
        return catalogue.find(name) or catalogue.describe(name)

    def at_hand(self, card: ModelCard) -> bool:
        return caches.at_hand(card) is not None

    def named(self, network: str, path: str) -> ModelCard:
        """Weights of a file in a network that is named; another process builds it and compares the arrays."""
        if network.partition("/")[0] not in NAMED:
            raise UsageError(f"NAME in NAME@FILE must be one of timm or torchvision, but got '{network}'.")
        weights = Path(path).expanduser()
        if not weights.exists():
            raise UsageError(f"there is no weights file at '{path}'.{near_file(weights)}")
        if weights.is_dir():
            weights = _weights(weights)
        card = catalogue.describe(f"{network}@{weights}")
        return msgspec.structs.replace(card, name=f"{network}@{path}", source="this machine", offline=True)

    def folder(self, name: str, path: Path) -> ModelCard:
        weights = _weights(path)
        if weights.suffix == ".safetensors" and (card := own_card(weights)):
            return _own(card, weights)
        config = path / "config.json"
        if not config.exists():
            raise UsageError(
                f"a checkpoint folder must hold a config.json that says which network it is, but '{name}' has none.",
                f"Name the architecture: --models timm/NAME@{name} or torchvision/NAME@{name}",
            )
        card = card_of_config(name, json_object(config), path)
        extra = {**card.extra, "strict": True}
        place = str(weights.resolve())
        heads = (*HEADS, *encoders.OLD_HEADS.get(card.modality, ()))
        return msgspec.structs.replace(card, weights=place, params=count(weights, heads), extra=extra)

    def file(self, name: str, path: Path) -> ModelCard:
        if path.suffix == ".safetensors" and (card := own_card(path)):
            return _own(card, path)
        if path.suffix not in SUFFIXES:
            raise UsageError(f"a weights file must end in one of {', '.join(SUFFIXES)}, but got '{name}'.")
        if path.suffix == ".safetensors":
            header(path)
        raise UsageError(
            f"a weights file does not say which network it is for: '{name}'.",
            f"Name the architecture: --models timm/NAME@{name} or torchvision/NAME@{name}",
        )


def _own(card: ModelCard, weights: Path) -> ModelCard:
    """A model that autoft fine-tuned before; its backbone is taken up again under a new head."""
    summary = f"fine-tuned by autoft from {card.name}"
    extra = {**card.extra, "own": True, "strict": True}
    place = weights.resolve()
    if card.modality == "text":
        card = msgspec.structs.replace(card, folder=str(place.parent), files=encoders.KEPT_FILES)
    return msgspec.structs.replace(card, weights=str(place), summary=summary, extra=extra)


def _weights(folder: Path) -> Path:
    for name in caches.WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(
        f"a checkpoint folder must hold {' or '.join(caches.WEIGHTS)}, but '{folder}' has neither.",
        "Name the file: --models timm/NAME@FILE or torchvision/NAME@FILE",
    )
