"""Batch normalisations in evaluation as a part of the convolutions before them: one pass over a map in place of two.

Modules and their arrays stay as they are; `_kernels` asks here what a convolution is to use.
"""

from __future__ import annotations

import threading
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
        arrays = (before.weight, before.bias, norm.weight, norm.bias)
        self.fixed = not any(array is not None and array.requires_grad for array in arrays)
        """Whether training leaves these arrays alone."""
        self._made: tuple[torch.Tensor, torch.Tensor] | None = None

    def arrays(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and bias of a convolution that normalises, too."""
        made = self._made or self._make()
        self._made = made
        return made

    def forget(self) -> None:
        """The arrays it is made of may change."""
        self._made = None

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


class Folding:
    """The pairs of one network, none of which is folded while its arrays are in training."""

    def __init__(self, net: nn.Module, pairs: Sequence[Pair]) -> None:
        self.folds = [Fold(net.get_submodule(before), net.get_submodule(norm)) for before, norm in pairs]
        self._by_weight = {id(fold.before.weight): fold for fold in self.folds}
        self._open = 0
        self._lock = threading.Lock()

    def of(self, weight: object) -> Fold | None:
        """The pair whose convolution has these weights."""
        fold = self._by_weight.get(id(weight))
        return fold if fold and fold.before.weight is weight else None

    def possible(self, fold: Fold) -> bool:
        """Whether the normalisation is one scale and shift for all batches now, and nobody asks for gradients of it."""
        return (fold.fixed or self._open > 0) and not fold.norm.training

    @contextmanager
    def whole(self) -> Iterator[None]:
        """While it is entered, nothing trains: all pairs are folded."""
        try:
            with self._lock:
                self._open += 1
            yield
        finally:
            with self._lock:
                self._open -= 1

    def forget(self, *, trained: bool = False) -> None:
        """All arrays may change, or with `trained` those that training changes."""
        for fold in self.folds:
            if not (trained and fold.fixed):
                fold.forget()
