"""Optimizers of torch without its compiler.

To keep it away from a few of their methods they import `torch._dynamo`, which takes as long as importing torch does
(1.3 s of 2.8). Nothing is compiled here. Networks of timm, torchvision and Transformers import it all the same.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import torch

KEPT_AWAY = ("add_param_group", "zero_grad")
"""Methods of optimizers that ask the compiler not to look at them (`torch._compile._disable_dynamo`)."""
MARK = "__dynamo_disable"
"""Where they keep what the compiler made of them."""


def prepare() -> None:
    """Before the first optimizer is made."""
    if "torch._dynamo" in sys.modules:
        return
    for name in KEPT_AWAY:
        method = inspect.unwrap(getattr(torch.optim.Optimizer, name))
        if not hasattr(method, MARK):
            setattr(method, MARK, method)


@torch.no_grad()
def step(optimizer: torch.optim.Optimizer) -> None:
    """One step, without hooks."""
    if "torch._dynamo" in sys.modules:
        optimizer.step()
        return
    plain: Any = inspect.unwrap(type(optimizer).step)
    plain(optimizer)
