"""Where a trunk can be cut: read off the graph that Keras keeps of a functional model.

A tensor is such a place if every path from the images to the features leads through it. Paths are counted: those from
the images to it, times those from it to the features, must be all there are. Its depth follows from the blocks whose
arrays it is made of. Nothing is computed: the graph says all.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from autoft_keras import _blocks
from autoft_keras._blocks import Block

Symbol = Any
"""A symbolic tensor of Keras."""


class Point(NamedTuple):
    """A tensor that is all that the rest of the trunk needs."""

    depth: int
    """Blocks before it."""
    tensor: Symbol

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample's array."""
        return tuple(self.tensor.shape[1:])

    @property
    def place(self) -> str:
        """What tells it from the network's others."""
        return f"{self.depth} {self.shape}"


def find(trunk: keras.Model, blocks: Sequence[Block]) -> tuple[Point, ...]:
    """The cuts of a trunk by depth, the last one being its features. For each depth the last place there is."""
    paths = _paths(trunk, blocks)
    found: dict[int, Symbol] = {}
    for tensor in paths.order:
        depth = paths.depth(tensor)
        if depth and not (depth in found and _pads(tensor, found[depth])):
            found[depth] = tensor
    found[len(blocks)] = trunk.outputs[0]
    return tuple(Point(depth, tensor) for depth, tensor in sorted(found.items()))


def places(trunk: keras.Model) -> list[Symbol]:
    """All tensors that every path from the images to the features leads through, in their order."""
    paths = _paths(trunk, _blocks.of(trunk))
    return [tensor for tensor in paths.order if paths.depth(tensor)]


def _paths(trunk: keras.Model, blocks: Sequence[Block]) -> _Paths:
    named = _blocks.named(trunk)
    owners = {id(named[name]): number for number, block in enumerate(blocks) for name in block.members}
    return _Paths(trunk.inputs[0], trunk.outputs[0], owners)


def _pads(tensor: Symbol, other: Symbol) -> bool:
    """Whether a tensor is the other one made larger without arrays: padding, with which the next block begins."""
    node = _node(tensor)
    made_of_it = [id(part) for part in node.input_tensors] == [id(other)]
    larger = math.prod(tensor.shape[1:]) > math.prod(other.shape[1:])
    return made_of_it and larger and not getattr(node.operation, "weights", ())


def _node(tensor: Symbol) -> Any:
    """The call that gave the tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


class _Paths:
    """The graph from images to features, as counts of paths."""

    def __init__(self, images: Symbol, features: Symbol, owners: Mapping[int, int]) -> None:
        """`owners` tells the block of an array, by its id."""
        self.order = _order(images, features)
        """All tensors, each after those it is made of."""
        self.blocks: dict[int, int] = {}
        """Which blocks a tensor is made of, as bits."""
        self.up: dict[int, int] = {}
        """Paths from the images to a tensor."""
        self.down: dict[int, int] = defaultdict(int)
        """Paths from a tensor to the features."""
        for tensor in self.order:
            needs = () if tensor is images else _node(tensor).input_tensors
            self.up[id(tensor)] = sum(self.up[id(other)] for other in needs) if tensor is not images else 1
            self.blocks[id(tensor)] = 0 if tensor is images else _own(tensor, owners)
            for other in needs:
                self.blocks[id(tensor)] |= self.blocks[id(other)]
        self.down[id(features)] = 1
        for tensor in reversed(self.order[1:]):
            for other in _node(tensor).input_tensors:
                self.down[id(other)] += self.down[id(tensor)]
        self.total = self.up[id(features)]
        self.calls = Counter(id(operation) for operation in _operations(self.order))

    def depth(self, tensor: Symbol) -> int:
        """Blocks before a tensor, or 0 where the trunk cannot be cut at it."""
        once = self.calls[id(_node(tensor).operation)] == 1  # Keras cannot cut between two calls of one layer
        through = self.up[id(tensor)] * self.down[id(tensor)] == self.total
        fits = len(tensor.shape) > 1 and None not in tensor.shape[1:] and "float" in tensor.dtype
        return self.blocks[id(tensor)].bit_length() if once and through and fits else 0


def _own(tensor: Symbol, owners: Mapping[int, int]) -> int:
    """The blocks of the arrays of the layer that makes the tensor, as bits."""
    arrays: Iterable[Any] = getattr(_node(tensor).operation, "weights", ())
    return sum(1 << number for number in {owners[id(array)] for array in arrays})


def _operations(tensors: Iterable[Symbol]) -> list[Any]:
    """Of each call that gave any of the tensors."""
    return [node.operation for node in {id(node): node for node in map(_node, tensors)}.values()]


def _order(images: Symbol, features: Symbol) -> list[Symbol]:
    """The images first, and all tensors that the features are made of, each after those it needs."""
    order, seen = [images], {id(images)}
    stack = [(features, False)]
    while stack:
        tensor, done = stack.pop()
        if done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((other, False) for other in _node(tensor).input_tensors)
    return order
