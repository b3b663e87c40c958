"""Where downloaded weights lie on this machine. Looks at files only: imports no framework, opens no connection.

The folders are those that huggingface_hub and torch.hub use themselves, so what either brought is found here.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from autoft.api import ModelCard, cache_home, hub_file

HUB = "hub:"
#: Weights that this distribution itself brings, by the name of their file.
BUNDLED = "bundled:"
#: Files of a hub repository that hold weights, best first. The second is read with ``weights_only=True``.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def torch_folder() -> Path:
    """The checkpoints of torch.hub."""
    home = os.environ.get("TORCH_HOME") or str(cache_home() / "torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def hub_weights(repo: str) -> Path | None:
    return next((path for name in WEIGHTS if (path := hub_file(repo, name))), None)


def at_hand(card: ModelCard) -> Path | None:
    """The file with the card's weights, if it is on this machine."""
    where = card.weights
    if where.startswith(HUB):
        return hub_weights(where.removeprefix(HUB))
    if where.startswith(BUNDLED):
        path = Path(__file__).parent / "weights" / where.removeprefix(BUNDLED)
        return path if path.is_file() else None
    path = torch_folder() / where.rpartition("/")[2] if where.startswith(("https://", "http://")) else Path(where)
    return path if where and path.exists() else None


def mark(card: ModelCard) -> ModelCard:
    """The card, saying whether it can be used without a download."""
    return msgspec.structs.replace(card, offline=not card.weights or at_hand(card) is not None)
