"""Reads weights from files that nobody vouches for, and puts them into a network, or says in words why not.

Arrays alone are read: no code of the file runs, no graph of a SavedModel is executed.
"""

from __future__ import annotations

import re
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from autoft.api import TrialFailed

Array = np.ndarray[Any, np.dtype[Any]]
#: Arrays by the path of their layer, then by name, in the file's order.
State = dict[str, dict[str, Array]]
INSIDE = "model.weights.h5"
CHECKPOINT = "variables/variables"
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
#: Arrays that a file may have beyond those of the network: an old head.
LEFT = 12
HINT = "Name the architecture that the weights were saved from, as keras/NAME@FILE."


def put(network: keras.Model, path: Path, name: str) -> None:
    """Copy the arrays of a file into `network`: of a `.keras`, `.weights.h5` or `.h5` file, or of a SavedModel folder.

    The file may hold the network alone, or under a head, or as a part of a larger model.

    Raises:
        TrialFailed: the file cannot be read, or its arrays do not fit.
    """
    try:
        if path.is_dir():
            _place(network, _saved_model(path))
        elif path.suffix == ".keras":
            with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
                _structured(network, Path(archive.extract(INSIDE, folder)))
        else:
            with h5py.File(path) as file:
                legacy = _legacy(file)
            if legacy:
                _place(network, legacy)
            else:
                _structured(network, path)
    except _Misfit as error:
        raise TrialFailed(f"the weights at {path} do not fit {name}: {error}.", HINT) from error
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TrialFailed(f"the weights at {path} cannot be read: {type(error).__name__}: {_first(error)}") from error


def fill(network: keras.Model, path: Path) -> None:
    """Copy the arrays of a file of Keras 3 that was saved from the same whole network.

    Raises:
        TrialFailed: it is absent or damaged, or was saved from another network.
    """
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            network.load_weights(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        if path.is_file() and not isinstance(error, OSError | zipfile.BadZipFile):
            raise TrialFailed(f"{path} was not saved from this network: {_first(error, lines=2)}.") from error
        raise TrialFailed(f"{path} cannot be read: {type(error).__name__}: {_first(error)}") from error
    if left := _left(told):
        raise TrialFailed(f"{path} was not saved from this network: {left}")


class _Misfit(Exception):
    """Why the arrays do not fit."""


def _structured(network: keras.Model, path: Path) -> None:
    """From a file of Keras 3, which counts layers by class; Keras itself reads the part that holds the network."""
    wanted = len(network.weights)
    with h5py.File(path) as file:
        counts = {place: _count(file[place]) for place in _places(file)}
        fitting = sorted((place for place in counts if counts[place] >= wanted), key=lambda place: counts[place])
        if not fitting:
            raise _Misfit(f"it has {wanted} arrays, the file {max(counts.values(), default=0)}")
        reason = ""
        for place in fitting:
            if counts[place] - wanted > LEFT:
                reason = reason or f"the file has {counts[place] - wanted} arrays that are unknown to it"
            elif not (fault := _load(network, file[place])):
                return
            else:
                reason = reason or fault
    raise _Misfit(reason)


def _places(file: h5py.File) -> list[str]:
    """The groups that hold a model: those with `layers` in them."""
    found = ["/"] if "layers" in file else []
    file.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Group) and "layers" in item else None
    )
    return found


def _count(group: h5py.Group) -> int:
    """Arrays of the layers; the states of random generators are left out."""
    names: list[str] = []
    group["layers"].visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return sum("seed_generator" not in name for name in names)


def _load(network: keras.Model, group: h5py.Group) -> str:
    """Why Keras cannot load this part, or an empty string."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        part = Path(folder, INSIDE)
        with h5py.File(part, "w") as target:
            for name in group:
                if name != "optimizer":
                    group.copy(name, target)
        try:
            network.load_weights(part)
        except (KeyError, ValueError) as error:
            return _first(error, lines=2)
        return _left(told)


def _left(told: Iterable[warnings.WarningMessage]) -> str:
    """What Keras only warns of: layers that it leaves as they were."""
    return next((str(one.message) for one in told if issubclass(one.category, UserWarning)), "")


def _legacy(file: h5py.File) -> State:
    """The arrays of a file of Keras 2, or of a whole model in `.h5`; empty for those of Keras 3."""
    group = file.get("model_weights", file)
    arrays = {}
    for layer in group.attrs.get("layer_names", ()):
        part = group[_text(layer)]
        for name in part.attrs["weight_names"]:
            arrays[_text(name)] = np.asarray(part[_text(name)])
    return _grouped(arrays)


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _saved_model(folder: Path) -> State:
    """The arrays of a SavedModel's checkpoint, by the full names that its object graph gives them."""
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    try:
        reader = tf.train.load_checkpoint(str(folder / CHECKPOINT))
        graph = trackable_object_graph_pb2.TrackableObjectGraph()
        graph.ParseFromString(reader.get_tensor(GRAPH))
    except (tf.errors.OpError, RuntimeError) as error:
        raise OSError(_first(error)) from error
    keys = {a.full_name: a.checkpoint_key for node in graph.nodes for a in node.attributes if a.full_name}
    return _grouped({name: reader.get_tensor(key) for name, key in keys.items()})


def _grouped(arrays: Mapping[str, Array]) -> State:
    """``conv1/kernel:0`` is the array `kernel` of the layer `conv1`."""
    state: State = {}
    for full, array in arrays.items():
        layer, _, name = full.partition(":")[0].rpartition("/")
        state.setdefault(layer, {})[name] = array
    return state


def _place(network: keras.Model, state: State) -> None:
    """Layer by layer: by their names, or in the file's order, or by the counters in names that Keras gave itself."""
    layers: dict[str, list[Any]] = {}
    for variable in network.weights:
        layers.setdefault(variable.path.rpartition("/")[0], []).append(variable)
    if len(layers) > len(state):
        raise _Misfit(f"it has {len(layers)} layers with arrays, the file {len(state)}")
    if (left := sum(map(len, state.values())) - len(network.weights)) > LEFT:
        raise _Misfit(f"the file has {left} arrays that are unknown to it")
    faults = []
    for groups in (_by_name(layers, state), [*state.values()][: len(layers)], _by_counter(layers, state)):
        fault = next((f for f in map(_fault, layers, layers.values(), groups) if f), "")
        if not fault:
            for variables, arrays in zip(layers.values(), groups, strict=True):
                for variable, array in zip(variables, arrays.values(), strict=True):
                    variable.assign(array)
            return
        faults.append(fault)
    raise _Misfit(faults[0])


def _fault(layer: str, variables: Sequence[Any], arrays: Mapping[str, Array]) -> str:
    found, wanted = [array.shape for array in arrays.values()], [tuple(variable.shape) for variable in variables]
    if found == wanted:
        return ""
    return f"the arrays of its layer {layer} have the shapes {wanted}, those of the file {found}"


def _by_name(layers: Iterable[str], state: State) -> list[Mapping[str, Array]]:
    ends = {layer.rpartition("/")[2]: arrays for layer, arrays in state.items()}
    return [state.get(layer) or ends.get(layer.rpartition("/")[2]) or {} for layer in layers]


def _by_counter(layers: Iterable[str], state: State) -> list[Mapping[str, Array]]:
    """``conv2d_7`` and ``conv2d_9`` are the first and second `conv2d` of their network."""
    places = dict(zip(_counted(state), state.values(), strict=True))
    return [places.get(place, {}) for place in _counted(layers)]


def _counted(layers: Iterable[str]) -> list[tuple[str, int]]:
    split = [re.fullmatch(r"(.*?)(?:_(\d+))?", layer.rpartition("/")[2]) for layer in layers]
    marks = [(m[1], int(m[2] or 0)) for m in split if m]
    return [(kind, sorted(n for other, n in marks if other == kind).index(number)) for kind, number in marks]


def _first(error: Exception, lines: int = 1) -> str:
    told = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(told[:lines]).rstrip(".") or type(error).__name__
