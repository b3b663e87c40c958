"""The text network that needs no vocabulary: a vector for each bucket of words and of their pieces, added up."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autoft.api import ModelCard, Recipe, hashed

Array = np.ndarray[Any, np.dtype[Any]]

#: Policy -> share of the words and pieces that a step leaves out. Without it, the table learns the texts by heart.
DROPS = {"none": 0.0, "light": 0.3, "trivial": 0.4, "strong": 0.5}
#: Texts whose numbers are remembered: each epoch asks for the same ones.
REMEMBERED = 200_000
_known: dict[tuple[tuple[str, ...], int, int, str], Array] = {}


class Trunk(nn.Module):
    """Numbers (n, length), of which 0 pads, to features (n, width): words and pieces are summed apart, each sum divided
    by the root of its length, so that long texts do not shout and short ones are heard."""

    def __init__(self, buckets: int, width: int) -> None:
        super().__init__()
        self.buckets, self.width = buckets, width
        self.table = nn.Embedding(2 * buckets, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.02)
        with torch.no_grad():
            self.table.weight[0] = 0
        self.length, self.truncation, self.drop = 0, "end", 0.0

    def follow(self, recipe: Recipe) -> None:
        self.length, self.truncation, self.drop = recipe.text_length, recipe.truncation, DROPS[recipe.augment]

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        rows = [self._row(texts) for texts in arrays["text"]]
        padded = np.zeros((len(rows), max([1, *map(len, rows)])), np.int64)
        for number, row in enumerate(rows):
            padded[number, : len(row)] = row
        return torch.from_numpy(padded)

    def _row(self, texts: tuple[str, ...]) -> Array:
        key = (texts, self.buckets, self.length, self.truncation)
        if key not in _known:
            if len(_known) >= REMEMBERED:
                _known.clear()
            found = hashed(texts, self.buckets, self.length, self.truncation)
            _known[key] = np.concatenate([found.words, found.parts + self.buckets]).astype(np.int32)
        return _known[key]

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """Left out words have negative numbers: they still count for the length."""
        if not self.drop:
            return values
        gone = torch.rand(values.shape, generator=draws).to(values.device) < self.drop
        return torch.where(gone, -values, values)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        there, kept = values != 0, (values > 0).float()
        pieces = values.abs() > self.buckets
        weights = torch.zeros_like(kept)
        for own in (there & ~pieces, there & pieces):
            whole, left = own.sum(1, keepdim=True), (own * kept).sum(1, keepdim=True)
            weights = weights + own * kept * whole.sqrt() / left.clamp(min=1)
        return F.embedding_bag(
            values.clamp(min=0), self.table.weight, per_sample_weights=weights, mode="sum", padding_idx=0
        ) / math.sqrt(2)


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return Trunk(int(card.extra["buckets"]), int(card.extra["width"])), ()
