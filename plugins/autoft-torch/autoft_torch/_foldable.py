"""Which normalisations can be folded into the convolutions before them (`_folding`).

Which one takes what which convolution gives is read off one run. That nothing else takes it, and that nothing happens
between the two, is not seen there; so the folded network is tried on numbers, and left as it is where it gives others.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import msgspec
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoft.api import Job, to_json
from autoft_torch._folding import Folding, Pair
from autoft_torch._kernels import Kernels
from autoft_torch._net import Net

TOLERANCE = 1e-4
"""By how much features may differ, in shares of the largest one: sums run in another order."""

#: Pairs hang on the architecture alone, so a process that runs many trials of one network looks for them once.
_known: dict[tuple[object, ...], tuple[Pair, ...]] = {}


def pairs(net: Net, job: Job, *, look: bool) -> tuple[Pair, ...] | None:
    """Of a network for images under new heads; none where folding would give other numbers. Without `look` nothing is
    run: None if it is not known yet."""
    card = to_json(msgspec.structs.replace(job.card, weights="", offline=False))
    others = tuple(name for name, _ in net.named_modules() if not name.startswith("trunk."))
    key = (card, job.image_size, job.recipe.pooling, others)
    if key not in _known and look:
        some = any(isinstance(part, _BatchNorm) for part in net.modules())
        _known[key] = _tried(net, job.image_size) if some else ()
    return _known.get(key)


@torch.inference_mode(False)
@torch.no_grad()
def _tried(net: Net, size: int) -> tuple[Pair, ...]:
    draws = torch.Generator().manual_seed(0)  # not the global generator, which training draws from
    return _sound(copy.deepcopy(net).eval(), torch.randn((1, 3, size, size), generator=draws), draws)


@torch.no_grad()
def _sound(net: Net, images: torch.Tensor, draws: torch.Generator) -> tuple[Pair, ...]:
    """The pairs of a copy of a net, whose normalisations are changed."""
    images = images.contiguous(memory_format=torch.channels_last)
    blocks = net.block_of()
    # A cut behind a convolution whose normalisation is part of the next block needs what it gives as it is. An array
    # that is computed by others has no block.
    found = tuple((a, b) for a, b in _seen(net, images) if _block(blocks, a) == blocks[f"{b}.running_mean"])
    if not found:
        return ()
    _disturb(net, draws)
    wanted = _given(net, images)
    folding = Folding(net, found)
    with Kernels(folding), folding.whole():
        given = _given(net, images)
    near = [float((a - b).abs().max()) <= TOLERANCE * float(b.abs().max()) for a, b in zip(given, wanted, strict=True)]
    return found if all(near) else ()


def _block(blocks: Mapping[str, int], convolution: str) -> int | None:
    return blocks.get(f"{convolution}.weight")


def _disturb(net: nn.Module, draws: torch.Generator) -> None:
    """Fresh normalisations change nothing, and some begin with a scale of 0: left out or made twice, they would not
    show."""
    for part in net.modules():
        if not isinstance(part, _BatchNorm) or part.running_mean is None or part.running_var is None:
            continue
        scale, shift, spread = (torch.rand(part.running_mean.shape, generator=draws) for _ in range(3))
        part.running_mean += (shift - 0.5) * part.running_var.sqrt()
        part.running_var *= spread + 0.5
        if part.weight is not None:
            part.weight.copy_(torch.where(part.weight == 0, 1.0, part.weight) * (scale + 0.5))


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
                    found.append((given.pop(id(args[0]))[0], name))

            handles.append(part.register_forward_pre_hook(takes))
    try:
        net(images)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(pair for pair in found if all(calls[name] == 1 for name in pair))
