"""What a trunk gives at several strides, for dense heads. Same arrays, same names: only the way through differs.

Autoft's own networks, those of timm and those of Transformers can tell; of torchvision's, the last module that gives a
map of a stride is listened to. The finest level is at stride 4 where there is one; a plain vision transformer has
one level alone, at its patch size.
"""

from __future__ import annotations

import torch
from torch import nn

from autoft.api import TrialFailed

FINEST = 4
"""Stride of the finest level that is used."""
COARSEST = 32
NAMES = "_autoft_levels"
"""Attribute of a trunk: which of its modules give the levels, once that is known."""


def levels(trunk: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Maps (n, channels, height, width), the finest first, of one or several strides.

    Raises:
        TrialFailed: the trunk cannot tell them.
    """
    if hasattr(trunk, "levels"):
        found: list[torch.Tensor] = trunk.levels(images)
    elif hasattr(trunk, "forward_intermediates"):
        found = trunk.forward_intermediates(images, intermediates_only=True)
    else:
        found = _heard(trunk, images)
    if not found:
        raise TrialFailed(f"dense outputs need a network that gives maps, but {type(trunk).__name__} gives vectors.")
    by_side: dict[int, torch.Tensor] = {}
    for level in found:  # of several maps at one stride the last is the ripest
        side = images.shape[-1]
        if level.shape[-1] * FINEST <= side + FINEST - 1 and level.shape[-1] * COARSEST >= side:
            by_side[level.shape[-1]] = level
    return [by_side[side] for side in sorted(by_side, reverse=True)]


def _heard(trunk: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Square maps (n, channels, side, side) that modules of the trunk give, in the order of their calls."""
    names = getattr(trunk, NAMES, None)
    modules = dict(trunk.named_modules())
    found: dict[str, torch.Tensor] = {}

    def listen(name: str) -> torch.utils.hooks.RemovableHandle:
        def keep(_: nn.Module, __: object, output: object) -> None:
            if isinstance(output, torch.Tensor) and output.ndim == 4 and output.shape[-1] == output.shape[-2]:
                found.pop(name, None)  # in the order of the last calls
                found[name] = output

        return modules[name].register_forward_hook(keep)

    handles = [listen(name) for name in (names if names is not None else modules) if name]
    try:
        trunk(images)
    finally:
        for handle in handles:
            handle.remove()
    if names is None:
        last = {level.shape[-1]: name for name, level in found.items()}
        setattr(trunk, NAMES, tuple(last.values()))
        return [found[name] for name in last.values()]
    return list(found.values())


@torch.no_grad()
def channels(trunk: nn.Module, size: int) -> list[int]:
    """Channels of each level, the finest first."""
    trunk.eval()
    return [level.shape[1] for level in levels(trunk, torch.zeros(1, 3, size, size))]
