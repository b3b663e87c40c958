"""A learner on disk: weights for predicting, and the whole state for going on. Safetensors and JSON, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import load_file, save_file

from autoft.api import ModelCard, TrialFailed
from autoft_torch._net import Net

MODEL = "model.safetensors"
STATE = "state.safetensors"
FACTS = "state.json"
CARD = "autoft_card"
MOMENTS = "optimizer."
WEIGHTS = "net."


def save_model(net: Net, card: ModelCard, folder: Path) -> None:
    """All arrays of the net, in float32, with its card beside them, so that the file describes itself."""
    folder.mkdir(parents=True, exist_ok=True)
    card = msgspec.structs.replace(net.described(card), weights="", folder="", files=(), offline=False)
    if hasattr(net.trunk, "keep"):
        net.trunk.keep(folder)
    text = msgspec.json.encode(card).decode()
    save_file(arrays(net), folder / MODEL, metadata={"format": "pt", CARD: text})


def load_model(net: Net, folder: Path) -> None:
    """
    Raises:
        TrialFailed: the file is absent or damaged, or its arrays are not those of the net.
    """
    fill(net, _read(folder / MODEL), str(folder / MODEL))
    if hasattr(net.trunk, "take"):
        net.trunk.take(folder)


def save_state(folder: Path, net: Net, moments: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {WEIGHTS + k: v for k, v in arrays(net).items()} | {
        MOMENTS + k: v.cpu().contiguous() for k, v in moments.items()
    }
    save_file(state, folder / STATE)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def load_state(folder: Path, net: Net) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Fill the net; gives back the optimizer's arrays and the facts.

    Raises:
        TrialFailed: the state is absent, damaged or of another network.
    """
    state = _read(folder / STATE)
    fill(net, {k.removeprefix(WEIGHTS): v for k, v in state.items() if k.startswith(WEIGHTS)}, str(folder))
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    return {k.removeprefix(MOMENTS): v for k, v in state.items() if k.startswith(MOMENTS)}, facts


def arrays(net: Net) -> dict[str, torch.Tensor]:
    """Copies on the CPU, by name. Arrays that share memory are written twice: safetensors refuses shared ones."""
    return {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in net.state_dict().items()
    }


def fill(net: Net, state: Mapping[str, torch.Tensor], where: str) -> None:
    try:
        net.load_state_dict(dict(state))
    except RuntimeError as error:
        raise TrialFailed(f"{where} was not saved from this network: {error}") from error


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except Exception as error:
        raise TrialFailed(f"{path} cannot be read: {type(error).__name__}: {error}") from error
