"""The network that is trained: blocks that can be frozen, and a head.

Two kinds: `_composed`, a trunk under new heads, and `_native`, a network that brings its own head.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import nn

from autoft.api import Job, ModelCard, Output, no_answers
from autoft_torch import _blocks

Array = np.ndarray[Any, np.dtype[Any]]
HEAD = "head"
Targets = Mapping[str, torch.Tensor]
Cast = Callable[[], AbstractContextManager[object]]


class Net(nn.Module):
    """Images (n, 3, h, w) to raw outputs by name: (n, size), (n, height, width, size) from dense heads, or boxes
    (n, most, 6)."""

    pooled = False
    """Whether all outputs are for the whole image: what stands before a cut is then all that later blocks need."""
    native = False
    """Whether the head is the network's own."""
    spells = False
    """Whether the new head knows most of its letters already: it is then learned no faster than the blocks."""
    side = 0
    """Of dense maps."""
    width = 0
    """Of the features that pooled heads stand on."""
    entered = False
    """Whether features come in, in place of what the trunk takes."""
    heads: nn.ModuleDict
    """New heads by the output's name; none where the head is the network's own."""

    def __init__(self, trunk: nn.Module, body: str, job: Job) -> None:
        """`body` names the part of the trunk that is cut into blocks; empty is all of it."""
        super().__init__()
        self.trunk, self.outputs = trunk, job.problem.outputs
        self._body = body
        self.blocks = _blocks.within(trunk, body)
        self.frozen = round(job.recipe.freeze * len(self.blocks))
        self._freeze()

    def loss(self, images: torch.Tensor, targets: Targets, smoothing: float, cast: Cast) -> torch.Tensor:
        """The loss of a batch, a number, over all outputs."""
        raise NotImplementedError

    def features(self, values: torch.Tensor) -> torch.Tensor:
        """What heads stand on: (n, width), of frames (n, frames, width) where they are not pooled."""
        raise NotImplementedError

    def none(self, output: Output, side: int = 0) -> Array:
        """What `predict_at` gives for no images; `side` is that of indices."""
        return no_answers(output, maps=self.side, indices=side)

    def described(self, card: ModelCard) -> ModelCard:
        """The card that is saved with the arrays: it says what can be made of them."""
        raise NotImplementedError

    def train(self, mode: bool = True) -> Net:
        """As usual, but frozen parts stay in evaluation mode: their statistics and dropout are left alone."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    def block_of(self) -> dict[str, int]:
        """Number of the block that each array belongs to, by its full name; heads count as one block after the last."""
        numbers = {f"trunk.{m}": i for i, block in enumerate(self.blocks) for m in block.members}
        return {name: numbers.get(name, len(self.blocks)) for name in self._names()}

    def block_names(self) -> tuple[str, ...]:
        return tuple(block.name for block in self.blocks)

    def _names(self) -> Iterator[str]:
        """Arrays that stand in several places have several names."""
        yield from (name for name, _ in self.named_parameters(remove_duplicate=False))
        yield from (name for name, _ in self.named_buffers(remove_duplicate=False))

    def _freeze(self) -> None:
        still = {member for block in self.blocks[: self.frozen] for member in block.members}
        inside = {member for block in self.blocks for member in block.members}
        for name, parameter in self.trunk.named_parameters():
            # Own heads keep what they hold fixed, such as tables of positions; in the body the recipe decides alone.
            free = name not in still if name in inside else parameter.requires_grad
            parameter.requires_grad_(free and parameter.is_floating_point())
        self._still = [part for name, part in self.trunk.named_modules() if _within(part, name, still)]
        if self.frozen == len(self.blocks):
            self._still = [self.trunk.get_submodule(self._body)]


def _within(module: nn.Module, prefix: str, names: Collection[str]) -> bool:
    """Whether the module has arrays and all of them are among `names`."""
    arrays = [n for n, _ in (*module.named_parameters(prefix), *module.named_buffers(prefix))]
    return bool(arrays) and all(name in names for name in arrays)
