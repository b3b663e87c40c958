"""Cuts a network into blocks, ordered from input to output: what freezing and layer-wise rates count in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import nn

Group = tuple[str, list[str]]


class Block(NamedTuple):
    """One part of a trunk: its name, and the names of its parameters and buffers."""

    name: str
    members: tuple[str, ...]


def of(trunk: nn.Module) -> tuple[Block, ...]:
    """The blocks of a trunk: those that it tells (`groups`) or its library declares (`group_matcher` of timm), else by
    its structure."""
    told = getattr(trunk, "groups", None)
    groups = told() if callable(told) else _declared(trunk) or _structural(trunk, [*_names(trunk)])
    seen: set[str] = set()
    blocks = []
    for number, (name, members) in enumerate(groups):
        unique = name if name not in seen else f"{name}#{number}"
        seen.add(unique)
        blocks.append(Block(unique, tuple(members)))
    return tuple(blocks)


def within(network: nn.Module, body: str) -> tuple[Block, ...]:
    """The blocks of a part of a network, their members named as in the whole."""
    if not body:
        return of(network)
    blocks = of(network.get_submodule(body))
    return tuple(Block(block.name, tuple(f"{body}.{member}" for member in block.members)) for block in blocks)


def _names(trunk: nn.Module) -> Iterator[str]:
    yield from (name for name, _ in trunk.named_parameters())
    yield from (name for name, _ in trunk.named_buffers())


def _declared(trunk: nn.Module) -> list[Group]:
    matcher = getattr(trunk, "group_matcher", None)
    if matcher is None:
        return []
    from timm.models import group_parameters

    groups = group_parameters(trunk, matcher(coarse=False))
    found = [list(groups[key]) for key in sorted(groups)]
    nearest: dict[tuple[str, ...], list[str]] = {}
    for group in reversed(found):  # of several that share as many words the first
        nearest.update({prefix: group for name in group for prefix in _prefixes(name)})
    for name, _ in trunk.named_buffers():  # timm sorts parameters alone; a buffer goes where its nearest one is
        next(nearest[prefix] for prefix in _prefixes(name) if prefix in nearest).append(name)
    return [(_common(group) or "stem", group) for group in found]


def _prefixes(name: str) -> list[tuple[str, ...]]:
    """The leading words of a dotted name, the whole one first, none last."""
    words = tuple(name.split("."))
    return [words[:count] for count in range(len(words), -1, -1)]


def _structural(trunk: nn.Module, names: Sequence[str]) -> list[Group]:
    """Units in order of registration; loose layers at the start form the stem, later ones join the block before."""
    groups: list[Group] = [("stem", [])]
    open_stem = True
    for prefix, unit in _units(trunk, "", whole=True):
        members = [n for n in names if n == prefix or n.startswith(prefix + ".")]
        if not members:
            continue
        loose = not list(unit.children())
        if loose or (open_stem and not groups[0][1]):
            groups[-1][1].extend(members)
        else:
            groups.append((prefix, members))
        open_stem = open_stem and loose
    taken = {name for _, group in groups for name in group}
    groups[0][1].extend(n for n in names if n not in taken)  # class tokens and position embeddings belong to the input
    return [group for group in groups if group[1]]


def _units(module: nn.Module, prefix: str, *, whole: bool) -> Iterator[tuple[str, nn.Module]]:
    if whole or _is_container(module):
        for name, child in module.named_children():
            yield from _units(child, f"{prefix}.{name}" if prefix else name, whole=False)
    else:
        yield prefix, module


def _is_container(module: nn.Module) -> bool:
    children = list(module.children())
    if type(module) in (nn.Sequential, nn.ModuleList):
        return any(list(child.children()) for child in children)
    return any(_repeats(child) or (_is_container(child) and not _plain(child)) for child in children)


def _plain(module: nn.Module) -> bool:
    """A Sequential that does not repeat one kind of block, such as the branch of a residual block."""
    return type(module) in (nn.Sequential, nn.ModuleList) and not _repeats(module)


def _repeats(module: nn.Module) -> bool:
    """A list of at least two blocks of one class, blocks being modules of modules of modules."""
    if type(module) not in (nn.Sequential, nn.ModuleList):
        return False
    deep = [type(child) for child in module.children() if any(list(part.children()) for part in child.children())]
    return len(deep) >= 2 and len(set(deep)) < len(deep)


def _common(members: Sequence[str]) -> str:
    """The longest dotted prefix that the members share with the first, among those with its first word."""
    first = members[0].split(".")[:-1]
    alike = [m.split(".")[:-1] for m in members if m.split(".")[0] == members[0].split(".")[0]]
    shared = []
    for depth, word in enumerate(first):
        if any(len(words) <= depth or words[depth] != word for words in alike):
            break
        shared.append(word)
    return ".".join(shared)
