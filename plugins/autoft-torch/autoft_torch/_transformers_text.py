"""Trunks of Transformers for texts: a tokenizer, an encoder (or a decoder alone), and what makes one vector of many."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoModel

from autoft.api import TOKENS_HIDDEN, ModelCard, Recipe, TrialFailed
from autoft_torch import _layers
from autoft_torch._tokens import Tokens
from autoft_torch._transformers import configuration, loaded
from autoft_torch.encoders import MOST_TOKENS

Array = np.ndarray[Any, np.dtype[Any]]

REMEMBERED = 100_000
"""Texts whose tokens are remembered: each epoch asks for the same ones."""
AFTER_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Networks that number places from the padding token's number on."""


class Trunk(nn.Module):
    """Numbers (n, 2, length) to features (n, width): tokens counted from 1, of which 0 pads and negative ones are
    hidden; and which text of a pair each belongs to."""

    def __init__(self, net: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.net = net
        config: Any = net.config
        self.width = int(config.hidden_size)
        self.auto = str(card.extra.get("pooling", "first"))
        self.kinds = (getattr(config, "type_vocab_size", 0) or 0) > 1
        self.places = _places(config)
        self.tokens: Tokens | None = None
        self.each, self.truncation, self.pooling, self.drop = 0, "end", self.auto, 0.0
        self._known: dict[tuple[str, ...], Array] = {}

    def groups(self) -> list[tuple[str, list[str]]]:
        return _layers.groups(self)

    def follow(self, recipe: Recipe) -> None:
        self.each, self.truncation, self.drop = recipe.text_length, recipe.truncation, TOKENS_HIDDEN[recipe.augment]
        self.pooling = self.auto if recipe.pooling == "auto" else recipe.pooling
        self._known.clear()

    def take(self, folder: Path) -> None:
        """The tokenizer, from the folder of a checkpoint or of a saved model."""
        self.tokens = Tokens.of(folder, self.net.config)

    def keep(self, folder: Path) -> None:
        self._tokens().save(folder)

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        samples = [tuple(texts) for texts in arrays["text"]]
        new = list(dict.fromkeys(sample for sample in samples if sample not in self._known))
        if len(self._known) + len(new) > REMEMBERED:
            self._known.clear()
            new = list(dict.fromkeys(samples))
        made = self._tokens().rows(new, self.each, self._most(), self.truncation)
        for sample, tokens in zip(new, made, strict=True):
            self._known[sample] = np.array([[number + 1 for number in tokens.ids], tokens.kinds], np.int32)
        rows = [self._known[sample] for sample in samples]
        padded = np.zeros((len(rows), 2, max([1, *(row.shape[1] for row in rows)])), np.int64)
        for number, row in enumerate(rows):
            padded[number, :, : row.shape[1]] = row
        return torch.from_numpy(padded)

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """Some tokens hidden, but for those that the tokenizer adds."""
        if not self.drop:
            return values
        numbers = values[:, 0]
        special = torch.tensor(self._tokens().special, device=values.device) + 1
        gone = torch.rand(numbers.shape, generator=draws).to(values.device) < self.drop
        gone &= ~torch.isin(numbers, special) & (numbers > 0)
        return torch.stack([torch.where(gone, -numbers, numbers), values[:, 1]], 1)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        tokens, numbers = self._tokens(), values[:, 0]
        there, hidden = numbers != 0, numbers < 0
        ids = torch.where(there, numbers.abs() - 1, tokens.pad)
        if tokens.mask is not None:
            ids, seen = torch.where(hidden, tokens.mask, ids), there
        else:
            seen = there & ~hidden | (there & ~(there & ~hidden).any(1, keepdim=True))
        more = {"token_type_ids": values[:, 1]} if self.kinds else {}
        states = self.net(input_ids=ids, attention_mask=seen.long(), **more).last_hidden_state
        return _pooled(states, seen, self.pooling)

    def _most(self) -> int:
        """Tokens of a row."""
        limits = [limit for limit in (self._tokens().most, self.places) if limit]
        least = min(limits, default=MOST_TOKENS)
        return least if self.each else min(least, MOST_TOKENS)

    def _tokens(self) -> Tokens:
        if self.tokens is None:
            raise TrialFailed("a text network needs its tokenizer, but none was read: it is not in the model's folder.")
        return self.tokens


def _pooled(states: torch.Tensor, seen: torch.Tensor, pooling: str) -> torch.Tensor:
    """States (n, length, width) of the tokens that are seen, as one vector (n, width)."""
    if pooling == "mean":
        shares = seen / seen.sum(1, keepdim=True)
        return torch.einsum("nt,ntw->nw", shares.to(states.dtype), states)
    if pooling == "max":
        return states.masked_fill(~seen[..., None], -torch.inf).amax(1)
    order = torch.arange(seen.shape[1], device=seen.device)
    place = torch.where(seen, order, -1).argmax(1) if pooling == "last" else seen.int().argmax(1)
    return states[torch.arange(len(states), device=states.device), place]


def _places(config: Any) -> int:
    """Most tokens that there are places for; 0 where nothing says."""
    most = int(getattr(config, "max_position_embeddings", 0) or 0)
    return most - int(config.pad_token_id) - 1 if most and config.model_type in AFTER_PADDING else most


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    """From the configuration kept in the card: no file is opened, no remote code is run."""
    try:
        net = AutoModel.from_config(_configuration(card), trust_remote_code=False)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise TrialFailed(f"Transformers cannot build {card.name}: {error}") from error
    return Trunk(_bare(net), card), ()


def load(trunk: nn.Module, card: ModelCard, path: Path) -> None:
    """Weights of a folder, whatever head they were saved with.

    Raises:
        TrialFailed: they cannot be read, or some are missing or of another shape.
    """
    net, lost = loaded(AutoModel, _configuration(card), path)
    _layers.put(trunk, Trunk(_bare(net), card), lost, path)


def _configuration(card: ModelCard) -> Any:
    config = configuration(card, None)
    config.use_cache = False
    return config


def _bare(net: nn.Module) -> nn.Module:
    """Without the layer that only an old head used."""
    if getattr(net, "pooler", None) is not None:
        net.pooler = None
    return net
