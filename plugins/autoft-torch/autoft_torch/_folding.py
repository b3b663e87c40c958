"""Batch normalisations in evaluation as a part of the convolutions before them: one pass over a map in place of two.

Modules and their arrays stay as they are; `_kernels` asks here what a convolution is to use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Pair = tuple[str, str]
"""Names of a convolution and of the normalisation that takes what it gives."""


class Fold:
    """One pair whose arrays are put together."""

    def __init__(self, before: nn.Conv2d, norm: _BatchNorm) -> None:
        self.before, self.norm = before, norm
        self.fixed = not any(array.requires_grad for array in self._arrays())
        """Whether training leaves these arrays alone."""
        self.open = False
        """Whether those that training changes are at rest for now."""
        self.given = False
        """Whether the convolution has just normalised, too."""
        self._made: tuple[torch.Tensor, torch.Tensor] | None = None

    def possible(self, weight: object) -> bool:
        """Whether the normalisation is one scale and shift for all batches now, and nobody asks for gradients of it."""
        return (self.fixed or self.open) and not self.norm.training and self.before.weight is weight

    def arrays(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and bias of a convolution that normalises, too."""
        self._made = self._made or self._make()
        return self._made

    def forget(self) -> None:
        """The arrays it is made of may have changed."""
        self._made = None

    def _arrays(self) -> list[torch.Tensor]:
        found = (self.before.weight, self.before.bias, self.norm.weight, self.norm.bias)
        return [array for array in found if array is not None]

    @torch.inference_mode(False)
    @torch.no_grad()
    def _make(self) -> tuple[torch.Tensor, torch.Tensor]:
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None  # else it is no pair
        scale = torch.rsqrt(norm.running_var + norm.eps)
        scale = scale if norm.weight is None else scale * norm.weight
        shift = -norm.running_mean if self.before.bias is None else self.before.bias - norm.running_mean
        bias = shift * scale if norm.bias is None else shift * scale + norm.bias
        return self.before.weight * scale.view(-1, 1, 1, 1), bias


class Folds:
    """Those of one network; none is used for arrays in training."""

    def __init__(self, net: nn.Module, pairs: Sequence[Pair]) -> None:
        parts = dict(net.named_modules())
        self.all = [Fold(parts[before], parts[norm]) for before, norm in pairs]
        self._before = {id(fold.before.weight): fold for fold in self.all}
        self._behind = {id(fold.norm.running_mean): fold for fold in self.all}

    def before(self, weight: object) -> Fold | None:
        """What is folded into the convolution with these weights, which is about to be called."""
        fold = self._before.get(id(weight))
        if fold:
            fold.given = fold.possible(weight)
        return fold if fold and fold.given else None

    def done(self, mean: object) -> bool:
        """Whether the convolution before the normalisation with this running mean has just normalised for it."""
        fold = self._behind.get(id(mean))
        return fold is not None and fold.given

    @contextmanager
    def whole(self) -> Iterator[None]:
        """While it is entered, nothing trains: all pairs are folded, with their arrays as they are now."""
        for fold in self.all:
            fold.open = True
            if not fold.fixed:
                fold.forget()
        try:
            yield
        finally:
            for fold in self.all:
                fold.open = False

    def forget(self) -> None:
        """All arrays may have changed."""
        for fold in self.all:
            fold.forget()
