"""Trunks out of a `.keras` file: whatever model it holds, cut off before its head."""

from __future__ import annotations

import base64
import copy
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras

from autoft.api import ModelCard, TrialFailed, UsageError
from autoft_keras import _levels, _weights, catalogue
from autoft_keras.folders import MOST_CONFIG, keras_config, refuse_code

Config = dict[str, Any]
POOLINGS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
AUGMENTS = ("Random", "RandAugment", "AugMix", "MixUp", "CutMix")
#: What Keras adds to the name of a MobileNet: width and side.
WIDTH = r"_[\d.]+_\d+$"
#: A side at which a model of another size is tried, to see whether it takes any.
TRIED = 96


class Trunk(NamedTuple):
    """A trunk and how it came about."""

    model: keras.Model
    words: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: str = ""


def describe(path: Path) -> ModelCard:
    """The card of a `.keras` file: what is in it, where it is cut, how its images are normalised.

    Raises:
        UsageError: it holds no image network that can be taken up.
    """
    config = keras_config(path)
    model = _made(config, path)
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3 or shape[1] != shape[2]:
        raise UsageError(f"a network must take square images of three channels, but that in {path} takes {shape}.")
    side = shape[1] or 224
    cut_ = cut(model)
    arrays = [tuple(variable.shape) for variable in model.weights]
    any_size = shape[1] is None or _fits(config, TRIED if side != TRIED else 2 * TRIED, arrays)
    return ModelCard(
        name=str(path),
        backend="keras",
        modality="image",
        heads=("pooled", "dense") if _maps(config, side) else ("pooled",),
        params=sum(int(variable.shape.num_elements()) for variable in cut_.model.trainable_variables),
        input_size=side,
        fixed_size=not any_size,
        min_size=min(side, 32 if _fits(config, 32, arrays) else TRIED) if any_size else side,
        mean=cut_.mean,
        std=cut_.std,
        weights=str(path.resolve()),
        summary=cut_.words,
        extra={
            "library": "file",
            "config": base64.b85encode(zlib.compress(json.dumps(config).encode(), 9)).decode(),
            **({"channels": cut_.channels} if cut_.channels else {}),
        },
    )


def _maps(config: Config, side: int) -> bool:
    """Whether it gives maps at several strides, which boxes and masks stand on."""
    try:
        _levels.model(cut(_made(resized(config, side), Path())).model)
    except (UsageError, TrialFailed):
        return False
    return True


def build(card: ModelCard, size: int) -> keras.Model:
    """The whole model with random weights, head included, as its file holds it."""
    unpacking = zlib.decompressobj()
    config = json.loads(unpacking.decompress(base64.b85decode(card.extra["config"]), MOST_CONFIG))
    refuse_code(config, Path(card.name))
    return _made(config if card.fixed_size else resized(config, size), Path(card.name))


def load(network: keras.Model, card: ModelCard, path: Path) -> None:
    _weights.put(network, path, card.name)


def trunk(network: keras.Model, card: ModelCard) -> keras.Model:
    return cut(network).model


def _made(config: Config, path: Path) -> keras.Model:
    try:
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)  # it empties what it reads
    except (TypeError, ValueError, ImportError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(f"the network in {path} cannot be built: {reason}") from error
    if not isinstance(model, keras.Model) or not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UsageError(f"{path} must hold a Functional or Sequential model with one input and one output.")
    return model


def resized(config: Any, size: int) -> Any:
    """The configuration with inputs of another size."""
    if isinstance(config, list):
        return [resized(part, size) for part in config]
    if not isinstance(config, dict):
        return config
    changed = {key: resized(part, size) for key, part in config.items()}
    if changed.get("class_name") == "InputLayer":
        shape = changed["config"]["batch_shape"]
        changed["config"] = {**changed["config"], "batch_shape": [shape[0], size, size, *shape[3:]]}
    # The shapes that layers were built for follow from the new input.
    return {key: part for key, part in changed.items() if key != "build_config"}


def _fits(config: Config, size: int, arrays: list[tuple[int, ...]]) -> bool:
    """Whether the model can be built for images of another size, with arrays of the same shapes."""
    try:
        model = _made(resized(config, size), Path())
        cut(model)
    except (UsageError, TrialFailed):
        return False
    return [tuple(variable.shape) for variable in model.weights] == arrays


def cut(model: keras.Model) -> Trunk:
    """The part up to the last global pooling; where there is none, up to the last feature map, then averaged.

    Models within the model are dissolved into their layers, and its own augmentation is left out.

    Raises:
        TrialFailed: it has neither.
    """
    whole = _flat(model)
    chain = list(_chain(whole.outputs[0]))
    pooled = [tensor for tensor in chain if isinstance(_maker(tensor), POOLINGS)]
    maps = [tensor for tensor in chain if len(tensor.shape) == 4 and tensor is not whole.inputs[0]]
    if not pooled and not maps:
        raise TrialFailed(f"{model.name} has neither a global pooling nor a feature map to cut at.")
    features = (pooled or maps)[0]
    place = f"{'cut' if pooled else 'averaged'} after {_maker(features).name}"
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    trunk = keras.Model(whole.inputs[0], features, name=model.name)
    words = f"{model.name}, {len(trunk.layers)} layers, {place}"
    if _normalises(trunk):
        return Trunk(trunk, f"{words}; normalises its images itself", (0.0,) * 3, (1 / 255,) * 3)
    for name in (model.name, *(layer.name for layer in model.layers if isinstance(layer, keras.Model))):
        if card := catalogue.find(f"keras/{re.sub(WIDTH, '', name)}"):
            return Trunk(
                trunk, f"{words}; images as for {card.name}", card.mean, card.std, card.extra.get("channels", "")
            )
    return Trunk(trunk, f"{words}; pixels scaled to 0..1, as nothing in it says otherwise", (0.0,) * 3, (1.0,) * 3)


def _chain(tensor: Any) -> Iterator[Any]:
    """A tensor and those it was made from, backwards until one was made from several."""
    yield tensor
    while len(inputs := _made_from(tensor)) == 1:
        tensor = inputs[0]
        yield tensor


def _flat(model: keras.Model) -> keras.Model:
    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        if _augments(layer):
            return inputs[0]
        return layer.call(*inputs) if isinstance(layer, keras.Model) else layer(*inputs, **options)

    graph = keras.Model(model.inputs[0], model.outputs[0])
    return keras.models.clone_model(graph, clone_function=lambda layer: layer, call_function=call)


def _augments(layer: Any) -> bool:
    if isinstance(layer, keras.Model):
        parts = [part for part in layer.layers if not isinstance(part, keras.layers.InputLayer)]
        return bool(parts) and all(_augments(part) for part in parts)
    return type(layer).__name__.startswith(AUGMENTS)


def _normalises(trunk: keras.Model) -> bool:
    """Whether anything but padding comes before the first layer with weights."""
    for operation in trunk.operations:
        if type(operation).__name__ == "ConvertToTensor":  # where a model within the model began
            continue
        if isinstance(operation, (keras.layers.Normalization, keras.layers.Rescaling)):
            return True
        if not isinstance(operation, keras.layers.Layer):
            return True
        if operation.weights:
            return False
    return False


def _maker(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _made_from(tensor: Any) -> list[Any]:
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)
