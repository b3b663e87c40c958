"""Where a trunk can be cut: read off the graph that autograd records of one run.

A module's output is such a place if every path from the images to the features leads through it. Paths are counted:
those from the images to it, times those from it to the features, must be all there are. Its depth follows from the
blocks whose parameters it is made of. What autograd does not record (a mask made of detached values) does not show
here; `_prefix` therefore tries a cut on numbers before it is entered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils import _pytree as pytree

from autoft_torch._blocks import Block
from autoft_torch._pyramid import Level

#: Images in the run that is recorded. More than one, so that the dimension of samples is told from others of size 1.
SAMPLES = 2

Edge = tuple[Any, int]
"""One output of a node of the graph: the node (None for a constant) and the number of the output."""


class Form(NamedTuple):
    """A tensor without its numbers, for `SAMPLES` images."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    def blank(self, samples: int, device: torch.device) -> torch.Tensor:
        """Zeros for so many images that take up no memory."""
        shape = (self.shape[0] * samples // SAMPLES, *self.shape[1:])
        return torch.zeros((), dtype=self.dtype, device=device).expand(shape)


class Output(NamedTuple):
    """What a module gives, whatever it is packed into."""

    leaves: tuple[Any, ...]
    """Forms in the place of tensors."""
    packing: Any

    def filled(self, make: Callable[[Form], torch.Tensor]) -> Any:
        leaves = [make(leaf) if isinstance(leaf, Form) else leaf for leaf in self.leaves]
        return pytree.tree_unflatten(leaves, self.packing)

    @property
    def forms(self) -> list[Form]:
        return [leaf for leaf in self.leaves if isinstance(leaf, Form)]


class Point(NamedTuple):
    """A module whose output is all that the rest of the trunk needs."""

    depth: int
    """Blocks before it."""
    module: str
    """Its name in the trunk, whose own name is empty."""
    output: Output
    channels_last: bool
    """How the tensor lies in memory."""
    before: Mapping[str, Output]
    """The outermost modules that end before it and see the images; constants such as position tables are left out."""
    images: Form
    """What the trunk takes in."""
    levels: tuple[Level, ...] = ()
    """Where they are of all levels: those beside the last features."""

    @property
    def place(self) -> tuple[int, tuple[int, ...]]:
        """What tells it from the network's others."""
        return self.depth, self.shape

    @property
    def form(self) -> Form:
        return self.output.forms[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample's array, in the order in which it lies in memory."""
        shape = self.form.shape[1:]
        return (*shape[1:], shape[0]) if self.channels_last else shape

    def rows(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy of the tensor that stands here, as float32 rows (n, *shape) on the CPU."""
        ordered = tensor.permute(0, 2, 3, 1) if self.channels_last else tensor
        return ordered.to("cpu", torch.float32, copy=True).contiguous()

    def tensor(self, rows: torch.Tensor) -> torch.Tensor:
        """The tensor that rows were made of; no copy unless the network computes here in another type."""
        ordered = rows.permute(0, 3, 1, 2) if self.channels_last else rows
        return ordered.to(self.form.dtype)


class _Call(NamedTuple):
    time: int
    output: Output
    edges: tuple[Edge, ...]
    """Of the tensors in it."""
    channels_last: bool


def find(
    trunk: nn.Module,
    blocks: Sequence[Block],
    images: torch.Tensor,
    cast: Callable[[], AbstractContextManager[object]],
    *,
    record: bool = True,
) -> tuple[Point, ...]:
    """The cuts of a trunk by depth, the last one being its features. For each depth the last place there is.

    The trunk should be a copy: hooks stay in it, and all its parameters record gradients.

    Args:
        images: (SAMPLES, 3, h, w), normalised.
        cast: What sets the precision that the trunk is used in.
        record: False runs the trunk without autograd, and finds only its features.
    """
    numbers = {name: i for i, block in enumerate(blocks) for name in block.members}
    for parameter in trunk.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    calls: dict[str, list[_Call]] = defaultdict(list)
    _listen(trunk, calls)
    images.requires_grad_(record)
    with torch.set_grad_enabled(record), cast():
        trunk(images * 1)  # not a leaf, so that it can be changed in place
    edges = [edge for made in calls.values() for call in made for edge in call.edges]
    owners = {id(parameter): numbers[name] for name, parameter in trunk.named_parameters()}
    paths = _Paths(calls[""][0].edges[0], edges, images, owners)
    found: dict[int, tuple[int, str]] = {}
    first = _first_blocks(numbers)
    for name, made in calls.items():
        depth = _depth(made, paths)
        if depth and not _inside_later(name, depth, first):
            found[depth] = max(found.get(depth, (-1, "")), (made[0].time, name))
    found[len(blocks)] = (calls[""][0].time, "")
    points = []
    for depth, (time, name) in sorted(found.items()):
        call = calls[name][0]
        before = dict(_before(trunk, "", name, time, calls, paths)) if name else {}
        form = Form(tuple(images.shape), images.dtype)
        points.append(Point(depth, name, call.output, call.channels_last, before, form))
    return tuple(points)


def _listen(trunk: nn.Module, calls: dict[str, list[_Call]]) -> None:
    """Let every module note what it gives, in order of time."""
    clock = iter(range(1 << 62))

    def hear(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: object, output: object) -> None:
            leaves, packing = pytree.tree_flatten(output)
            tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
            kept = tuple(Form(tuple(v.shape), v.dtype) if isinstance(v, torch.Tensor) else v for v in leaves)
            edges = tuple((tensor.grad_fn, tensor.output_nr) for tensor in tensors)
            calls[name].append(_Call(next(clock), Output(kept, packing), edges, _last(tensors)))

        return hook

    for name, part in trunk.named_modules():
        part.register_forward_hook(hear(name))


def _last(tensors: Sequence[torch.Tensor]) -> bool:
    if not tensors or tensors[0].ndim != 4:
        return False
    return bool(tensors[0].is_contiguous(memory_format=torch.channels_last)) and not tensors[0].is_contiguous()


def _depth(made: Sequence[_Call], paths: _Paths) -> int:
    """Blocks before the output of a module that is called once, or 0 where the trunk cannot be cut after it."""
    (call, *more), single = made, len(made[0].edges) == 1
    if more or not single or not paths.all_through(call.edges[0]):
        return 0
    form = call.output.forms[0]
    fits = form.dtype.is_floating_point and len(form.shape) > 1 and form.shape[0] == SAMPLES
    return paths.blocks[call.edges[0][0]].bit_length() if fits else 0


def _first_blocks(numbers: Mapping[str, int]) -> dict[str, int]:
    """The first block that each module with arrays has part in."""
    first: dict[str, int] = {}
    for name, number in numbers.items():
        for parent in _parents(name):
            first[parent] = min(number, first.get(parent, number))
    return first


def _inside_later(name: str, depth: int, first: Mapping[str, int]) -> bool:
    """Whether the module is part of a later block: one that trains must see its own dropout in training."""
    return any(first.get(parent, -1) >= depth for parent in (name, *_parents(name)))


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _before(
    module: nn.Module, prefix: str, cut: str, time: int, calls: Mapping[str, list[_Call]], paths: _Paths
) -> Iterator[tuple[str, Output]]:
    """The outermost modules below `module` that end before the cut at `time`, with what they give."""
    for name, child in module.named_children():
        full = f"{prefix}.{name}" if prefix else name
        made = calls.get(full, [])
        if full == cut or (made and not any(paths.see(edge) for call in made for edge in call.edges)):
            continue  # not called, or a constant that later parts may need
        if len(made) == 1 and made[0].time < time and _stretches(made[0].output):
            yield full, made[0].output
        else:
            yield from _before(child, full, cut, time, calls, paths)


def _stretches(output: Output) -> bool:
    return all(form.shape and form.shape[0] % SAMPLES == 0 for form in output.forms)


class _Paths:
    """The graph from images to features, as counts of paths."""

    def __init__(self, end: Edge, edges: Iterable[Edge], images: torch.Tensor, owners: Mapping[int, int]) -> None:
        """`owners` tells the block of a parameter, by its id."""
        self.blocks: dict[Any, int] = {}
        """Which blocks a node is made of, as bits."""
        self.up: dict[Any, int] = {}
        """Paths from the images to a node."""
        self.down: dict[Edge, int] = defaultdict(int)
        """Paths from an output of a node to the features."""
        order = _order(node for node, _ in (end, *edges) if node is not None)
        for node in order:
            leaf = getattr(node, "variable", None)
            needs = [other for other, _ in node.next_functions if other is not None]
            self.up[node] = sum(self.up[other] for other in needs) if leaf is None else int(leaf is images)
            self.blocks[node] = 1 << owners[id(leaf)] if id(leaf) in owners else 0
            for other in needs:
                self.blocks[node] |= self.blocks[other]
        self.down[end] = 1
        counts: dict[Any, int] = defaultdict(int, {end[0]: 1})
        for node in reversed(order):
            for other, number in node.next_functions:
                self.down[other, number] += counts[node]
                counts[other] += counts[node]
        self.total = self.up.get(end[0], 0)

    def see(self, edge: Edge) -> bool:
        """Whether it is made of the images."""
        return self.up.get(edge[0], 0) > 0

    def all_through(self, edge: Edge) -> bool:
        return self.see(edge) and self.up[edge[0]] * self.down[edge] == self.total


def _order(ends: Iterable[Any]) -> list[Any]:
    """All nodes that the ends are made of, each after those it needs."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(node, False) for node in ends]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((other, False) for other, _ in node.next_functions if other is not None)
    return order
