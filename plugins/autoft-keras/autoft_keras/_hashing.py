"""The text network that needs no vocabulary: a vector for each bucket of words and of their pieces, added up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autoft.api import Job, ModelCard, hashed
from autoft_keras._augment import Draws
from autoft_keras._net import Net
from autoft_keras._rows import Reader

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

#: Policy -> share of the words and pieces that a step leaves out. Without it, the table learns the texts by heart.
DROPS = {"none": 0.0, "light": 0.3, "trivial": 0.4, "strong": 0.5}
#: Texts whose numbers are remembered: each epoch asks for the same ones.
REMEMBERED = 200_000
_known: dict[tuple[tuple[str, ...], int, int, str], Array] = {}


def build(card: ModelCard, size: int) -> keras.Model:
    """Numbers (n, length), of which 0 pads and negative ones are left out, to features (n, width): words and pieces are
    summed apart, each sum divided by the root of its length, so that long texts do not shout and short ones are heard.

    It is made of Keras' own operations, so that a saved model needs nothing of autoft.
    """
    buckets, width = int(card.extra["buckets"]), int(card.extra["width"])
    numbers = keras.Input((None,), dtype="int32", name="text")
    there, kept = ops.not_equal(numbers, 0), ops.cast(ops.greater(numbers, 0), "float32")
    pieces = ops.greater(ops.abs(numbers), buckets)
    shares = ops.zeros_like(kept)
    for mine in (ops.logical_not(pieces), pieces):
        own = ops.cast(ops.logical_and(there, mine), "float32")
        whole, left = (ops.sum(part, axis=1, keepdims=True) for part in (own, own * kept))
        shares = shares + own * kept * ops.sqrt(whole) / ops.maximum(left, 1.0)
    start = keras.initializers.RandomNormal(stddev=0.02)
    table = keras.layers.Embedding(2 * buckets, width, embeddings_initializer=start, name="table")
    vectors = table(ops.maximum(numbers, 0))
    features = ops.squeeze(ops.matmul(ops.expand_dims(shares, 1), vectors), 1) / math.sqrt(2)
    return keras.Model(numbers, features, name="text-hash")


class WordReader(Reader):
    """Texts to such numbers."""

    def __init__(self, job: Job) -> None:
        self.buckets, recipe = int(job.card.extra["buckets"]), job.recipe
        self.length, self.truncation, self.drop = recipe.text_length, recipe.truncation, DROPS[recipe.augment]

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        rows = [self._row(tuple(texts)) for texts in arrays["text"]]
        padded = np.zeros((len(rows), max([1, *map(len, rows)])), np.int32)
        for number, row in enumerate(rows):
            padded[number, : len(row)] = row
        return padded

    def _row(self, texts: tuple[str, ...]) -> Array:
        key = (texts, self.buckets, self.length, self.truncation)
        if key not in _known:
            if len(_known) >= REMEMBERED:
                _known.clear()
            found = hashed(texts, self.buckets, self.length, self.truncation)
            _known[key] = np.concatenate([found.words, found.parts + self.buckets]).astype(np.int32)
        return _known[key]

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        """Left out words have negative numbers: they still count for the length."""
        if not self.drop:
            return values
        gone = Draws(values, seed).each(values) < self.drop
        return tf.where(gone, -values, values)


def reader(job: Job, net: Net, folder: Path | None) -> Reader:
    return WordReader(job)
