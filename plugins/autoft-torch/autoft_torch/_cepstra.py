"""The network for recordings that has nothing to learn but its heads: they read statistics of cepstral coefficients."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import nn

from autoft.api import ModelCard, Recipe, usual_cepstra

Array = np.ndarray[Any, np.dtype[Any]]


class Trunk(nn.Module):
    """Numbers (n, width), as `autoft.data.cepstrum` gives them, to features of about one size."""

    middle: torch.Tensor
    size: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        middle, size = usual_cepstra()
        self.width = len(middle)
        self.register_buffer("middle", torch.from_numpy(middle.copy()))
        self.register_buffer("size", torch.from_numpy(size.copy()))

    def follow(self, recipe: Recipe) -> None:
        """Nothing can be chosen."""

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        return torch.from_numpy(np.array(arrays["cepstra"], np.float32))

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """Statistics are not augmented."""
        return values

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return (values - self.middle) / self.size


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(), ()
