"""Features of all levels of a trunk for heads alone: its last ones, then mean, deviation and maximum of each level.

The trunk runs as ever; the modules that give the levels are listened to. Which ones these are is found out once, from
the tensors that `_levels` names; of a network of tokens it is four of its blocks. So nothing about it is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import NamedTuple

import torch
from torch import nn

from autoft.api import TrialFailed
from autoft_torch import _blocks, _levels

FIGURES = 3
"""Numbers of each channel of a level."""
QUARTERS = 4
"""Levels of a network of tokens."""


class Level(NamedTuple):
    """A module that gives a map (n, channels, h, w), one that lies channels last, or tokens (n, count, channels)."""

    module: str
    channels: int
    places: tuple[int, ...]
    """Dimensions over which there is a mean."""

    def figures(self, output: torch.Tensor) -> torch.Tensor:
        """float32 (n, 3 * channels)."""
        values = output.float()
        deviation, mean = torch.std_mean(values, self.places, correction=0)
        return torch.cat([mean, deviation, values.amax(self.places)], 1)


def width(levels: Sequence[Level]) -> int:
    """Of the features of these levels, without the last ones."""
    return FIGURES * sum(level.channels for level in levels)


@torch.no_grad()
def find(trunk: nn.Module, size: int) -> tuple[Level, ...]:
    """The levels of a trunk on images of this size, the finest first. None where it shows neither maps nor tokens:
    heads then see its last features alone."""
    trunk.eval()
    where = next(trunk.parameters()).device
    images = torch.zeros(1, 3, size, size, device=where)
    calls: dict[str, torch.Tensor] = {}
    with _listening(trunk, dict(trunk.named_modules()), lambda name, output: calls.update({name: output})):
        trunk(images)
    found = _maps(trunk, images, calls)
    return found or _tokens(trunk, calls)


def pooled(trunk: nn.Module, levels: Sequence[Level], images: torch.Tensor) -> torch.Tensor:
    """float32 (n, width of the trunk + width(levels))."""
    with heard(trunk, levels) as join:
        return join(trunk(images))


@contextmanager
def heard(trunk: nn.Module, levels: Sequence[Level]) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
    """While it is entered, what the trunk computes is listened to; gives what adds to its features those of the levels
    of its last run."""
    known = {level.module: level for level in levels}
    found: dict[str, torch.Tensor] = {}

    def keep(name: str, output: torch.Tensor) -> None:
        found[name] = known[name].figures(output)  # at once: what comes next may change it in place

    with _listening(trunk, {name: trunk.get_submodule(name) for name in known}, keep):
        yield lambda features: torch.cat([features.float(), *(found[level.module] for level in levels)], 1)


def _maps(trunk: nn.Module, images: torch.Tensor, calls: dict[str, torch.Tensor]) -> tuple[Level, ...]:
    """Of each map that `_levels` gives, the outermost module that gives it."""
    givers: dict[int, tuple[str, torch.Tensor]] = {}

    def note(name: str, output: torch.Tensor) -> None:
        givers[output.data_ptr()] = name, output  # all are held, so that no memory is used twice

    with _listening(trunk, dict(trunk.named_modules()), note):
        try:
            wanted = _levels.levels(trunk, images)
        except TrialFailed:
            return ()
    found = []
    for level in wanted:
        name, output = givers.get(level.data_ptr(), ("", level))
        ran = calls.get(name)
        if not name or ran is None or ran.shape != output.shape or output.ndim != 4:
            continue
        last = output.shape[1] != level.shape[1] or output.shape[3] != level.shape[3]
        found.append(Level(name, level.shape[1], (1, 2) if last else (2, 3)))
    return tuple(found)


def _tokens(trunk: nn.Module, calls: dict[str, torch.Tensor]) -> tuple[Level, ...]:
    """Evenly among the blocks that give tokens; the last one of them."""
    given = []
    for block in _blocks.within(trunk, ""):
        name = _shared(block.members)
        output = calls.get(name)
        if output is not None and output.ndim == 3:
            given.append(Level(name, output.shape[2], (1,)))
    places = {len(given) * quarter // QUARTERS - 1 for quarter in range(1, QUARTERS + 1)}
    return tuple(given[place] for place in sorted(places) if place >= 0)


def _shared(names: Sequence[str]) -> str:
    """The innermost module that all these arrays are in."""
    parts = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return ".".join(words[0] for words in takewhile(lambda words: len(set(words)) == 1, parts))


@contextmanager
def _listening(
    trunk: nn.Module, modules: dict[str, nn.Module], note: Callable[[str, torch.Tensor], None]
) -> Iterator[None]:
    def listen(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_: nn.Module, __: object, output: object) -> None:
            given = output[0] if isinstance(output, tuple) and output else output
            if isinstance(given, torch.Tensor):
                note(name, given)

        return module.register_forward_hook(hook)

    handles = [listen(name, module) for name, module in modules.items() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
