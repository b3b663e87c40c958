"""Optimizers, weight decay, and learning rates by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from autoft.api import Recipe, scheduled_rate
from autoft_torch import _uncompiled
from autoft_torch._net import Net

HEADS = "heads."
"""How the names of new heads' arrays begin."""


class Optimizer:
    """SGD, Adam or AdamW over the trainable arrays of a net.

    Weight decay is decoupled for SGD and AdamW (Loshchilov & Hutter, 2019): before each step every weight shrinks by
    the factor 1 - rate * decay. Adam is the older one: decay times weight is added to the gradient. Biases,
    normalisation and other arrays of one dimension do not shrink. L1 is decoupled: after each step the heads' weights
    come nearer to 0 by rate * l1, and stop there (soft thresholding, a proximal step; a subgradient would swing about
    0). The rate of block i of n is `layer_decay ** (n - 1 - i)` times that of the recipe, and that of new heads is
    `pace` times as high.
    """

    def __init__(self, net: Net, recipe: Recipe, pace: float = 1.0) -> None:
        self.recipe = recipe
        self.names: dict[torch.nn.Parameter, str] = {}
        groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
        blocks, count = net.block_of(), len(net.blocks)
        for name, parameter in net.named_parameters():
            if not parameter.requires_grad:
                continue
            self.names[parameter] = name
            scale = pace if name.startswith(HEADS) else recipe.layer_decay ** max(0, count - 1 - blocks[name])
            groups.setdefault((scale, parameter.ndim > 1), []).append(parameter)
        self.inner = _make([{"params": p, "scale": s, "shrinks": d} for (s, d), p in groups.items()], recipe)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        return list(self.names)

    def rates(self) -> dict[str, float]:
        """The present learning rate of each trainable array, by name."""
        return {self.names[p]: group["lr"] for group in self.inner.param_groups for p in group["params"]}

    def set_step(self, step: int, total: float) -> None:
        """Set the learning rate of this step, by the recipe's schedule."""
        self.set_rate(scheduled_rate(self.recipe, step, total))

    def set_rate(self, rate: float) -> None:
        """Set the learning rate; blocks and heads follow by their scales."""
        for group in self.inner.param_groups:
            group["lr"] = rate * group["scale"]

    @torch.no_grad()
    def step(self, scaler: torch.amp.GradScaler | None = None) -> None:
        for group in self.inner.param_groups:
            if group["shrinks"] and self.recipe.optimizer != "adam" and self.recipe.weight_decay:
                torch._foreach_mul_(group["params"], 1 - group["lr"] * self.recipe.weight_decay)
        if scaler:
            scaler.step(self.inner)
        else:
            _uncompiled.step(self.inner)
        for parameter, rate in self._sparse() if self.recipe.l1 else ():
            parameter.copy_(torch.nn.functional.softshrink(parameter, rate * self.recipe.l1))

    def _sparse(self) -> Iterator[tuple[torch.nn.Parameter, float]]:
        """The heads' weights and their rates."""
        for group in self.inner.param_groups:
            for parameter in group["params"]:
                if group["shrinks"] and self.names[parameter].startswith(HEADS):
                    yield parameter, group["lr"]

    def zero(self) -> None:
        self.inner.zero_grad(set_to_none=True)

    def state(self) -> dict[str, torch.Tensor]:
        """Moments and counters as arrays, by ``array name:kind``."""
        found = {}
        for parameter, values in self.inner.state.items():
            for kind, value in values.items():
                if value is not None:
                    found[f"{self.names[parameter]}:{kind}"] = torch.as_tensor(value).detach().clone()
        return found

    @torch.no_grad()
    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Take up what `state` gave. Arrays that are no longer trained are left out, new ones start afresh."""
        by_name = {name: parameter for parameter, name in self.names.items()}
        for key, value in state.items():
            name, _, kind = key.rpartition(":")
            parameter = by_name.get(name)
            if parameter is None or (value.ndim and value.shape != parameter.shape):
                continue
            if value.ndim:  # in the parameter's own layout: fused steps walk through both side by side
                self.inner.state[parameter][kind] = torch.empty_like(parameter).copy_(value)
            else:
                self.inner.state[parameter][kind] = value.to(parameter.device)


def _make(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    _uncompiled.prepare()
    if recipe.optimizer == "sgd":
        nesterov = recipe.nesterov and recipe.momentum > 0
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=nesterov, fused=True)
    if recipe.optimizer == "adam":
        groups = [{**group, "weight_decay": recipe.weight_decay if group["shrinks"] else 0.0} for group in groups]
        return torch.optim.Adam(groups, lr=recipe.lr, fused=True)
    return torch.optim.AdamW(groups, lr=recipe.lr, weight_decay=0.0, fused=True)
