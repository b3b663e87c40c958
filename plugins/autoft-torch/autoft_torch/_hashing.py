"""The text network that needs no vocabulary: a vector for each bucket of words and of their pieces, added up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import (
    PIECES,
    WORDS_DROPPED,
    Feed,
    ModelCard,
    Problem,
    Recipe,
    Stop,
    WordStart,
    known_terms,
    padded,
    word_start,
)

Array = np.ndarray[Any, np.dtype[Any]]


class Trunk(nn.Module):
    """Numbers (n, length), of which 0 pads, to features (n, width): the vectors of a text's words and pieces, added up
    with the weights that `autoft.texthash.weighed` describes."""

    rare: torch.Tensor
    begun: torch.Tensor

    def __init__(self, buckets: int, width: int) -> None:
        super().__init__()
        self.buckets, self.width = buckets, width
        self.table = nn.Embedding(2 * buckets, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.02)
        with torch.no_grad():
            self.table.weight[0] = 0
        self.register_buffer("rare", torch.ones(2 * buckets))
        self.register_buffer("begun", torch.zeros(1))
        self.length, self.truncation, self.drop = 0, "end", 0.0

    def follow(self, recipe: Recipe) -> None:
        self.length, self.truncation, self.drop = recipe.text_length, recipe.truncation, WORDS_DROPPED[recipe.augment]

    @torch.no_grad()
    def begin(self, feed: Feed, problem: Problem, stop: Stop, *, solve: bool) -> WordStart | None:
        """Look once at all training texts: how rare each number is and, if asked to `solve`, the linear solution, which
        fills the table. None where that was done before."""
        if self.begun:
            return None
        arrays = feed.batch(np.arange(len(feed)))
        rows = [self._row(texts) for texts in arrays["text"]]
        found = word_start(rows, arrays, problem, self.buckets, self.width if solve else 0, stop)
        self.rare.copy_(torch.from_numpy(found.rare))
        self.begun.fill_(1)
        if found.table is not None:
            self.table.weight[:, : found.table.shape[1]] = torch.from_numpy(found.table).to(self.table.weight)
        return found

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        rows = [self._row(texts) for texts in arrays["text"]]
        return torch.from_numpy(padded(rows, "int64"))

    def _row(self, texts: tuple[str, ...]) -> Array:
        return known_terms(texts, self.buckets, self.length, self.truncation)

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """Left out words have negative numbers: they still count for the length."""
        if not self.drop:
            return values
        gone = torch.rand(values.shape, generator=draws).to(values.device) < self.drop
        return torch.where(gone, -values, values)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        number = values.abs()
        weights = self.rare[number] * (number > 0) * torch.where(number >= self.buckets, PIECES, 1.0)
        weights = weights / weights.norm(dim=1, keepdim=True).clamp(min=1e-6)
        weights = weights * (values > 0) / (1 - self.drop if self.training else 1)
        return F.embedding_bag(
            values.clamp(min=0), self.table.weight, per_sample_weights=weights, mode="sum", padding_idx=0
        )


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(int(card.extra["buckets"]), int(card.extra["width"])), ()
