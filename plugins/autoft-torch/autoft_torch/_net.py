"""The network that is trained: a trunk cut into blocks, and one new head for each output of the problem."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from autoft.api import Job, Recipe
from autoft_torch import _blocks, _dense, _levels, _trunks

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
HEAD = "head"


class Net(nn.Module):
    """Images (n, 3, h, w) to raw outputs by name: (n, size), or (n, height, width, size) from dense heads."""

    def __init__(self, trunk: nn.Module, job: Job, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        dense = [o.name for o in job.problem.outputs if o.head == "dense"]
        self.neck = _dense.Neck(_levels.channels(trunk, job.image_size)) if dense else None
        self.side = _dense.side_of(job.image_size)
        """Of dense maps."""
        self.heads = nn.ModuleDict(
            {
                o.name: _dense.head(o, job.recipe) if o.name in dense else head(width, o.size, job.recipe)
                for o in job.problem.outputs
            }
        )
        self.blocks = _blocks.of(trunk)
        self.frozen = round(job.recipe.freeze * len(self.blocks))
        self._freeze()

    @classmethod
    def of(cls, job: Job, *, weights: bool) -> Net:
        """The network of a job; without `weights` its arrays are random and no file is opened."""
        trunk = (_trunks.pretrained if weights else _trunks.empty)(job.card, job.image_size)
        return cls(trunk, job, _trunks.width(trunk, job.image_size))

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.neck is not None:
            features = self.neck(_levels.levels(self.trunk, images), self.side)
            return {name: part(features).permute(0, 2, 3, 1) for name, part in self.heads.items()}
        features = self.trunk(images).float()
        return {name: part(features) for name, part in self.heads.items()}

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
        yield from (name for name, _ in self.named_parameters())
        yield from (name for name, _ in self.named_buffers())

    def _freeze(self) -> None:
        still = {member for block in self.blocks[: self.frozen] for member in block.members}
        for name, parameter in self.trunk.named_parameters():
            parameter.requires_grad_(name not in still and parameter.is_floating_point())
        self._still = [part for name, part in self.trunk.named_modules() if _within(part, name, still)]
        if self.frozen == len(self.blocks):
            self._still = [self.trunk]


def _within(module: nn.Module, prefix: str, names: set[str]) -> bool:
    """Whether the module has arrays and all of them are among `names`."""
    arrays = [n for n, _ in (*module.named_parameters(prefix), *module.named_buffers(prefix))]
    return bool(arrays) and all(name in names for name in arrays)


def head(width: int, size: int, recipe: Recipe) -> nn.Module:
    """A linear layer, or a hidden layer before it; dropout stands before the last layer."""
    parts: list[nn.Module] = []
    if recipe.head_width:
        hidden = nn.Linear(width, recipe.head_width)
        nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
        nn.init.zeros_(hidden.bias)
        parts += [hidden, ACTIVATIONS[recipe.head_activation]()]
        width = recipe.head_width
    last = nn.Linear(width, size)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*parts, nn.Dropout(recipe.dropout), last)
