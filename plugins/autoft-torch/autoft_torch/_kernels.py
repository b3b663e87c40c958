"""Some of PyTorch's functions on maps, by others that give the same on a CPU and take less time.

Averaging a map that lies channels last has a gradient that PyTorch spreads number by number, in an order which then
slows the layers before it down. A 1x1 convolution of a small map is quicker as a product of matrices. And a
normalisation that is folded into the convolution before it (`_folding`) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from autoft_torch._folding import Folding

ROWS = 1024
"""Places in a batch of maps up to which a 1x1 convolution is a product of matrices: with 256 of them a step of it took
.6 to 1.2 of the time, with 1024 .7 to 1, beyond that as much or more (fp32, one core)."""


class Kernels(TorchFunctionMode):
    """While it is entered, functions are replaced. Gradients keep what was chosen."""

    def __init__(self, folding: Folding | None = None) -> None:
        super().__init__()
        self.folding = folding
        self._normalised: set[int] = set()
        """Running means whose convolution has normalised already, by the numbers of these objects."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if self.folding and len(args) > 1:
            if func is functional.batch_norm and id(args[1]) in self._normalised:
                self._normalised.remove(id(args[1]))
                return args[0]
            if func is functional.conv2d:
                args, kwargs = self._folded(self.folding, args, kwargs)
        return (REPLACED.get(func, func) if args else func)(*args, **kwargs)

    def _folded(
        self, folding: Folding, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """What the convolution is called with, where it is to normalise, too."""
        fold = folding.of(args[1])
        if fold is None:
            return args, kwargs
        if not folding.possible(fold):
            self._normalised.discard(id(fold.norm.running_mean))
            return args, kwargs
        self._normalised.add(id(fold.norm.running_mean))
        return (args[0], *fold.arrays(), *args[3:]), {key: v for key, v in kwargs.items() if key != "bias"}


class _Average(torch.autograd.Function):
    """Mean over the places of maps (n, channels, h, w), whose gradient lies channels last."""

    @staticmethod
    def forward(ctx: Any, maps: torch.Tensor, keepdim: bool) -> torch.Tensor:
        ctx.shape = maps.shape
        return maps.mean((2, 3), keepdim=keepdim)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        samples, channels, height, width = ctx.shape
        each = (gradient / (height * width)).reshape(samples, 1, 1, channels)
        return each.expand(samples, height, width, channels).contiguous().permute(0, 3, 1, 2), None


def _mean(maps: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
    dims, keepdim = options.get("dim", args[0] if args else None), options.get("keepdim", args[1:2] == (True,))
    if options.keys() <= {"dim", "keepdim"} and _learning(maps) and _places(dims):
        average: torch.Tensor = _Average.apply(maps, keepdim)
        return average
    return torch.Tensor.mean(maps, *args, **options)


def _places(dims: Any) -> bool:
    return isinstance(dims, tuple | list) and sorted(dim % 4 for dim in dims) == [2, 3]


def _pool(maps: torch.Tensor, output_size: Any) -> torch.Tensor:
    if output_size in (1, (1, 1), [1, 1]) and _learning(maps):
        average: torch.Tensor = _Average.apply(maps, True)
        return average
    return functional.adaptive_avg_pool2d(maps, output_size)


def _convolution(
    maps: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> torch.Tensor:
    alone = groups == 1 and weight.shape[2:] == (1, 1) and stride in (1, (1, 1)) and padding in (0, (0, 0))
    alone = alone and weight.shape[1] > 1  # a map of one channel lies in both orders
    if alone and _last(maps) and maps.shape[0] * maps.shape[2] * maps.shape[3] <= ROWS:
        return functional.linear(maps.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
    return functional.conv2d(maps, weight, bias, stride, padding, dilation, groups)


def _learning(maps: torch.Tensor) -> bool:
    return maps.requires_grad and torch.is_grad_enabled() and _last(maps)


def _last(maps: torch.Tensor) -> bool:
    return maps.ndim == 4 and maps.is_contiguous(memory_format=torch.channels_last)


REPLACED: dict[Callable[..., Any], Callable[..., torch.Tensor]] = {
    torch.Tensor.mean: _mean,
    torch.mean: _mean,
    functional.adaptive_avg_pool2d: _pool,
    functional.conv2d: _convolution,
}
