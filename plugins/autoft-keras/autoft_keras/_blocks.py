"""Cuts a network into blocks, ordered from input to output: what freezing and layer-wise rates count in."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras

#: How the arrays of one block are called: by autoft, keras.applications and KerasHub. The first that is found counts.
PATTERNS = (
    r"stages\.\d+\.\d+",  # autoft
    r"stage_?\d+_block_?\d+|downsampling_block_\d+",  # ConvNeXt
    r"stack_?\d+_block_?\d+",  # ResNet of KerasHub
    r"conv\d+_block\d+",  # ResNet, DenseNet
    r"block\d+_\d+(?=_)",  # Inception-ResNet
    r"block_?\d+[a-z]?",  # VGG, Xception, EfficientNet, MobileNetV2
    r"expanded_conv(?:_\d+)?",  # MobileNetV3
    r"conv_(?:dw|pw)_\d+",  # MobileNet
    r"(?:transformer|encoder)(?:_block|_layer)*_\d+",  # transformers of KerasHub
)
PATTERN = re.compile("|".join(PATTERNS))


class Block(NamedTuple):
    """One part of a trunk: its name, and the names of its arrays."""

    name: str
    members: tuple[str, ...]


def of(trunk: keras.Model, body: keras.Model | None = None) -> tuple[Block, ...]:
    """The blocks of a trunk, or of the part `body` of it: those that its names tell, else one for each layer with a
    kernel. Their members have the names that they have in the trunk."""
    inside = {id(variable) for variable in (body or trunk).weights}
    names = [name for name, variable in named(trunk).items() if id(variable) in inside]
    blocks = _by_name(names)
    return blocks if len(blocks) > 2 else _by_layer(names)


def named(model: keras.Model) -> dict[str, Any]:
    """All arrays by a unique name, in the order of the layers, normalisation statistics included.

    Layers that were given no name are counted within the network: Keras counts them since the process began.
    """
    own = _own_names(model)
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for layer in leaves(model):
        for variable in layer.weights:
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            name = "/".join(own.get(part, part) for part in variable.path.split("/"))
            found[name if name not in found else f"{name}#{len(found)}"] = variable
    return found


def _own_names(model: keras.Model) -> dict[str, str]:
    """For layers that Keras named after their class: their name if the network were the first in the process."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for layer in _flat(model):
        stem = re.sub(r"_\d+$", "", layer.name)
        if layer.name not in names and stem.replace("_", "") == type(layer).__name__.lower():
            number = counts[stem] = counts.get(stem, -1) + 1
            names[layer.name] = f"{stem}_{number}" if number else stem
    return names


def leaves(model: keras.Model) -> Iterator[Any]:
    """Layers without layers in them, in the order of the network; of a layer with arrays of its own, itself."""
    for layer in _flat(model):
        inner = {id(v) for part in layer._flatten_layers(include_self=False) for v in part.weights}
        if not inner or any(id(variable) not in inner for variable in layer.weights):
            yield layer


def _flat(model: keras.Model) -> Iterator[Any]:
    """As `_flatten_layers`, but models within the model come in their order, too: Keras turns it round."""
    waiting, seen = deque(model._layers), {id(model)}
    while waiting:
        layer = waiting.popleft()
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer
            waiting.extendleft(reversed(layer._layers) if isinstance(layer, keras.Model) else layer._layers)


def _by_name(names: Sequence[str]) -> tuple[Block, ...]:
    """Arrays of one block by the block's name. What comes before is the stem; loose layers join the block before."""
    groups: dict[str, list[str]] = {}
    last = "stem"
    for name in names:
        if hit := PATTERN.search(name):
            last = re.sub(r"_(dw|pw)_", "_", hit.group())
        groups.setdefault(last, []).append(name)
    return tuple(Block(name, tuple(members)) for name, members in groups.items())


def _by_layer(names: Sequence[str]) -> tuple[Block, ...]:
    """A block begins with each layer that has a kernel; normalisations and others join the block before."""
    kernels = {name.rpartition("/")[0] for name in names if name.endswith("kernel")}
    groups: dict[str, list[str]] = {}
    last = ""
    for name in names:
        layer = name.rpartition("/")[0]
        if layer in kernels or not last:
            last = layer
        groups.setdefault(last, []).append(name)
    return tuple(Block(name, tuple(members)) for name, members in groups.items())
