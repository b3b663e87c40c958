"""Batch normalisations in evaluation as a part of the convolutions before them: one pass over a map in place of two.

Which normalisation takes what which convolution gives is read off one run. That nothing else takes it is not seen
there, so the folded network is tried on numbers, and left as it is where it gives others.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoft.api import Job, to_json
from autoft_torch._net import Net

TOLERANCE = 1e-4
"""By how much features may differ, in shares of the largest one: sums run in another order."""

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
        self.all = [Fold(parts[before], parts[norm]) for before, norm in pairs]  # type: ignore[arg-type]
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


#: Pairs hang on the architecture alone, so a process that runs many trials of one network looks for them once.
_known: dict[tuple[object, ...], tuple[Pair, ...]] = {}


def pairs(net: Net, job: Job, device: torch.device) -> tuple[Pair, ...]:
    """Of a network for images under new heads; none where folding would give other numbers."""
    card = to_json(msgspec.structs.replace(job.card, weights="", offline=False))
    others = tuple(name for name, _ in net.named_modules() if not name.startswith("trunk."))
    key = (card, job.image_size, others)
    if key not in _known:
        draws = torch.Generator().manual_seed(0)  # not the global generator, which training draws from
        images = torch.randn((1, 3, job.image_size, job.image_size), generator=draws).to(device)
        _known[key] = _sound(copy.deepcopy(net).eval(), images)
    return _known[key]


@torch.no_grad()
def _sound(net: Net, images: torch.Tensor) -> tuple[Pair, ...]:
    from autoft_torch._kernels import Kernels

    images = images.contiguous(memory_format=torch.channels_last)
    blocks = net.block_of()
    # A cut behind a convolution whose normalisation is part of the next block needs what it gives as it is.
    found = tuple((a, b) for a, b in _seen(net, images) if blocks[f"{a}.weight"] == blocks[f"{b}.running_mean"])
    wanted = _given(net, images)
    folds = Folds(net, found)
    with Kernels(folds), folds.whole():
        given = _given(net, images)
    near = all(float((a - b).abs().max()) <= TOLERANCE * float(b.abs().max()) for a, b in zip(given, wanted))
    return found if near else ()


def _given(net: Net, images: torch.Tensor) -> list[torch.Tensor]:
    """What the trunk gives, and what the heads make of it."""
    outputs: Mapping[str, torch.Tensor] = net(images)
    return [net.trunk(images), *outputs.values()]


def _seen(net: nn.Module, images: torch.Tensor) -> tuple[Pair, ...]:
    """Convolutions and normalisations that are called once, of which one gives what the other takes."""
    given: dict[int, tuple[str, torch.Tensor]] = {}
    calls: dict[str, int] = {}
    found: list[Pair] = []
    handles = []
    for name, part in net.named_modules():
        if isinstance(part, nn.Conv2d):

            def gives(_: nn.Module, __: object, output: torch.Tensor, name: str = name) -> None:
                calls[name] = calls.get(name, 0) + 1
                given[id(output)] = name, output  # it is held, so that no other tensor has its number

            handles.append(part.register_forward_hook(gives))
        elif isinstance(part, _BatchNorm) and part.running_mean is not None:

            def takes(_: nn.Module, args: tuple[torch.Tensor, ...], name: str = name) -> None:
                calls[name] = calls.get(name, 0) + 1
                if args and id(args[0]) in given:
                    found.append((given[id(args[0])][0], name))

            handles.append(part.register_forward_pre_hook(takes))
    try:
        net(images)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(pair for pair in found if all(calls[name] == 1 for name in pair))
