"""Where downloaded weights lie on this machine. Looks at files only: imports no framework, opens no connection.

The folders are those that huggingface_hub and torch.hub use themselves, so what either brought is found here.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from autoft.api import ModelCard

HUB = "hub:"
#: Weights that this distribution itself brings, by the name of their file.
BUNDLED = "bundled:"
#: Files of a hub repository that hold weights, best first. The second is read with ``weights_only=True``.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def hub_folder() -> Path:
    """The cache of huggingface_hub."""
    home = os.environ.get("HF_HOME") or str(_cache_home() / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def torch_folder() -> Path:
    """The checkpoints of torch.hub."""
    home = os.environ.get("TORCH_HOME") or str(_cache_home() / "torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def hub_file(repo: str, name: str) -> Path | None:
    """A file of a hub repository's main branch, if it was downloaded before. Knows the cache's layout by heart,
    since importing huggingface_hub takes longer than listing all networks."""
    folder = hub_folder() / f"models--{repo.replace('/', '--')}"
    try:
        commit = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:  # nothing of this repository is here
        return None
    path = folder / "snapshots" / commit / name
    return path if commit and path.is_file() else None


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
