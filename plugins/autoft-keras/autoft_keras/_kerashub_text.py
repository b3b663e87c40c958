"""Trunks of KerasHub's encoders of texts, with the tokenizers of their presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autoft.api import TOKENS_HIDDEN, Job, ModelCard, TrialFailed
from autoft_keras._augment import Draws
from autoft_keras._kerashub import build, load
from autoft_keras._net import Net
from autoft_keras._rows import Reader
from autoft_keras._tokens import Tokens

__all__ = ["build", "load", "reader", "trunk"]

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

MOST_TOKENS = 512
"""Of a text, where the recipe says nothing: longer ones are dear, also for networks that could take them."""
REMEMBERED = 100_000
"""Texts whose tokens are remembered: each epoch asks for the same ones."""


def trunk(network: keras.Model, card: ModelCard) -> keras.Model:
    """Numbers (n, 3, length) to features (n, length, width), NaN where nothing is seen: tokens, which of them are seen,
    and which text of a pair each belongs to. The layer that only an old head used is left out."""
    output = network.output
    bare = keras.Model(network.input, output["sequence_output"] if isinstance(output, dict) else output)
    values = keras.Input((3, None), dtype="int32", name="text")
    parts = {
        name: ops.take(values, row, axis=1) for row, name in enumerate(("token_ids", "padding_mask", "segment_ids"))
    }
    states = bare({name: parts[name] for name in network.input})
    seen = ops.expand_dims(ops.equal(parts["padding_mask"], 1), -1)
    return keras.Model(values, ops.where(seen, ops.cast(states, "float32"), np.nan), name=network.name)


class TokenReader(Reader):
    """Texts to such numbers."""

    def __init__(self, job: Job, folder: Path) -> None:
        config, recipe = job.card.extra["config"]["config"], job.recipe
        self.tokens = Tokens.of(folder, int(config["vocabulary_size"]))
        self.each, self.truncation, self.drop = recipe.text_length, recipe.truncation, TOKENS_HIDDEN[recipe.augment]
        least = int(config.get("max_sequence_length") or MOST_TOKENS)
        self.most = least if self.each else min(least, MOST_TOKENS)
        self._known: dict[tuple[str, ...], Array] = {}

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        samples = [tuple(texts) for texts in arrays["text"]]
        new = list(dict.fromkeys(sample for sample in samples if sample not in self._known))
        if len(self._known) + len(new) > REMEMBERED:
            self._known.clear()
            new = list(dict.fromkeys(samples))
        made = self.tokens.rows(new, self.each, self.most, self.truncation)
        for sample, tokens in zip(new, made, strict=True):
            self._known[sample] = np.array([tokens.ids, [1] * len(tokens.ids), tokens.kinds], np.int32)
        rows = [self._known[sample] for sample in samples]
        padded = np.zeros((len(rows), 3, max([1, *(row.shape[1] for row in rows)])), np.int32)
        padded[:, 0] = self.tokens.pad
        for number, row in enumerate(rows):
            padded[number, :, : row.shape[1]] = row
        return padded

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        """Some tokens hidden, but for those around the texts: behind the mask that the network knows, or not seen."""
        if not self.drop:
            return values
        ids, seen, kinds = tf.unstack(values, axis=1)
        gone = (Draws(ids, seed).each(ids) < self.drop) & (seen == 1)
        for number in self.tokens.special:
            gone &= ids != number
        if self.tokens.mask is not None:
            return tf.stack([tf.where(gone, self.tokens.mask, ids), seen, kinds], 1)
        return tf.stack([ids, tf.where(gone, 0, seen), kinds], 1)

    def keep(self, folder: Path) -> None:
        self.tokens.save(folder)


def reader(job: Job, net: Net, folder: Path | None) -> Reader:
    if folder is None:
        raise TrialFailed(f"{job.card.name} needs its tokenizer, but no folder says where it is.")
    return TokenReader(job, folder)
