"""A learner on disk: the model for predicting, and the whole state for going on. `.keras`, safetensors and JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from safetensors.numpy import load_file, save_file

from autoft.api import ModelCard, TrialFailed
from autoft_keras import _precision, _trunks, _weights
from autoft_keras._net import Net

Array = np.ndarray[Any, np.dtype[Any]]

MODEL, BARE = "model.keras", "model.weights.h5"
STATE = "state.safetensors"
FACTS = "state.json"
CARD = "autoft_card.json"
MOMENTS = "optimizer."
WEIGHTS = "net."

_open: set[str] = set()
_closed: set[str] = set()
"""Names of networks of KerasHub that Keras can, and cannot, make again from what it saves of them."""


def save_model(net: Net, card: ModelCard, folder: Path) -> None:
    """The whole network in Keras' own format, computing in float32, with its card in the archive.

    It takes normalised images, as the folder's preprocess.json says, and gives raw outputs by name. Of a network that
    Keras cannot make again from such a file, the weights alone, with its card beside them.

    Raises:
        TrialFailed: its weights cannot be written either.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.encode(msgspec.structs.replace(card, weights="", folder="", files=(), offline=False))
    if _archived(net, card, folder / MODEL):
        with zipfile.ZipFile(folder / MODEL, "a") as archive:
            archive.writestr(CARD, text)
        return
    (folder / MODEL).unlink(missing_ok=True)
    try:
        net.model.save_weights(folder / BARE)
    except Exception as error:  # whatever a layer's own code raises
        raise TrialFailed(f"{card.name} cannot be saved: {type(error).__name__}: {error}") from error
    (folder / CARD).write_bytes(text)


def _archived(net: Net, card: ModelCard, path: Path) -> bool:
    """Save the network, if Keras can open what that gives. Some layers of KerasHub tell less than makes them again,
    or more than they take."""
    if card.name in _closed:
        return False
    policies = [(layer, layer.dtype_policy) for layer in net.trunk._flatten_layers(include_self=False)]
    _precision.set_policy(net.trunk, "float32")
    try:
        if _trunks.of_hub(card) and card.name not in _open:  # made again without its weights, once in a process
            keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(net.model), safe_mode=True)
            _open.add(card.name)
        net.model.save(path)
    except OSError:
        raise
    except Exception:  # whatever a layer's own code raises: `save_model` writes what can be written
        if not _trunks.of_hub(card):
            raise
        _closed.add(card.name)
    finally:
        for layer, policy in policies:
            layer.dtype_policy = policy
    return card.name not in _closed


def load_model(net: Net, folder: Path) -> None:
    """Fill a network of the same job with what `save_model` wrote. The network itself is not read: what layers of
    other libraries tell of themselves does not always make them again, nor by the same names.

    Raises:
        TrialFailed: the file is absent or damaged, or of another network.
    """
    path = folder / MODEL if (folder / MODEL).is_file() else folder / BARE
    _weights.fill(net.model, path)


def save_state(folder: Path, net: Net, moments: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {WEIGHTS + k: v for k, v in arrays(net).items()} | {
        MOMENTS + k: np.ascontiguousarray(v) for k, v in moments.items()
    }
    save_file(state, folder / STATE)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def load_state(folder: Path, net: Net) -> tuple[dict[str, Array], dict[str, Any]]:
    """Fill the net; gives back the optimizer's arrays and the facts.

    Raises:
        TrialFailed: the state is absent, damaged or of another network.
    """
    try:
        state = load_file(folder / STATE)
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except Exception as error:
        raise TrialFailed(f"the state in {folder} cannot be read: {type(error).__name__}: {error}") from error
    fill(net, {k.removeprefix(WEIGHTS): v for k, v in state.items() if k.startswith(WEIGHTS)}, str(folder))
    return {k.removeprefix(MOMENTS): v for k, v in state.items() if k.startswith(MOMENTS)}, facts


def arrays(net: Net) -> dict[str, Array]:
    """Copies by name."""
    return {name: np.array(variable.numpy()) for name, variable in net.named().items()}


def fill(net: Net, state: Mapping[str, Array], where: str) -> None:
    wanted = {name: tuple(variable.shape) for name, variable in net.named().items()}
    found = {name: array.shape for name, array in state.items()}
    odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if odd:
        raise TrialFailed(
            f"{where} was not saved from this network: {odd[0]} must have the shape {wanted.get(odd[0], 'of none')}, "
            f"but has {found.get(odd[0], 'none')} ({len(odd)} arrays differ)."
        )
    for name, variable in net.named().items():
        variable.assign(state[name])
