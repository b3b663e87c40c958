"""Which normalisations can be folded into the convolutions before them (`_folding`).

Which one takes what which convolution gives is read off one run. That nothing else takes it is not seen there, so the
folded network is tried on numbers, and left as it is where it gives others.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import msgspec
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoft.api import Job, to_json
from autoft_torch._folding import Folds, Pair
from autoft_torch._kernels import Kernels
from autoft_torch._net import Net

TOLERANCE = 1e-4
"""By how much features may differ, in shares of the largest one: sums run in another order."""

#: Pairs hang on the architecture alone, so a process that runs many trials of one network looks for them once.
_known: dict[tuple[object, ...], tuple[Pair, ...]] = {}


def pairs(net: Net, job: Job) -> tuple[Pair, ...]:
    """Of a network for images under new heads; none where folding would give other numbers."""
    card = to_json(msgspec.structs.replace(job.card, weights="", offline=False))
    others = tuple(name for name, _ in net.named_modules() if not name.startswith("trunk."))
    key = (card, job.image_size, others)
    if key not in _known:
        draws = torch.Generator().manual_seed(0)  # not the global generator, which training draws from
        images = torch.randn((1, 3, job.image_size, job.image_size), generator=draws)
        _known[key] = _sound(copy.deepcopy(net).eval(), images)
    return _known[key]


@torch.no_grad()
def _sound(net: Net, images: torch.Tensor) -> tuple[Pair, ...]:
    images = images.contiguous(memory_format=torch.channels_last)
    blocks = net.block_of()
    # A cut behind a convolution whose normalisation is part of the next block needs what it gives as it is.
    found = tuple((a, b) for a, b in _seen(net, images) if blocks[f"{a}.weight"] == blocks[f"{b}.running_mean"])
    wanted = _given(net, images)
    folds = Folds(net, found)
    with Kernels(folds), folds.whole():
        given = _given(net, images)
    near = all(
        float((a - b).abs().max()) <= TOLERANCE * float(b.abs().max()) for a, b in zip(given, wanted, strict=True)
    )
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
