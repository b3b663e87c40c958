"""The text network that needs no vocabulary: a vector for each bucket of words and of their pieces, added up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autoft.api import (
    PIECES,
    WORDS_DROPPED,
    Feed,
    Job,
    ModelCard,
    Problem,
    Stop,
    WordStart,
    known_terms,
    padded,
    word_start,
)
from autoft_keras._augment import Draws
from autoft_keras._net import COUNTED, Net
from autoft_keras._rows import Reader

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

TABLE = "table"


def build(card: ModelCard, size: int) -> keras.Model:
    """Numbers (n, length), of which 0 pads and negative ones are left out, to features (n, width): the vectors of a
    text's words and pieces, added up with the weights that `autoft.texthash.weighed` describes. What is left speaks for
    what was left out.

    It is made of Keras' own operations, so that a saved model needs nothing of autoft.
    """
    buckets, width = int(card.extra["buckets"]), int(card.extra["width"])
    numbers = keras.Input((None,), dtype="int32", name="text")
    whole = ops.abs(numbers)
    there, kept = (ops.cast(ops.greater(part, 0), "float32") for part in (whole, numbers))
    rare = keras.layers.Embedding(2 * buckets, 1, embeddings_initializer="ones", trainable=False, name=COUNTED)
    weights = ops.squeeze(rare(whole), -1) * there * ops.where(ops.greater_equal(whole, buckets), PIECES, 1.0)
    weights = weights / ops.maximum(ops.sqrt(_total(weights**2)), 1e-6)
    left = weights * kept
    weights = left * _total(weights) / ops.maximum(_total(left), 1e-6)
    start = keras.initializers.RandomNormal(stddev=0.02)
    vectors = keras.layers.Embedding(2 * buckets, width, embeddings_initializer=start, name=TABLE)
    features = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), vectors(ops.maximum(numbers, 0))), 1)
    return keras.Model(numbers, features, name="text-hash")


def _total(values: Tensor) -> Tensor:
    return ops.sum(values, axis=1, keepdims=True)


class WordReader(Reader):
    """Texts to such numbers."""

    def __init__(self, job: Job, trunk: keras.Model | None = None) -> None:
        """`trunk` is what `build` gave, for `begin`."""
        self.trunk = trunk
        self.buckets, recipe = int(job.card.extra["buckets"]), job.recipe
        self.length, self.truncation, self.drop = recipe.text_length, recipe.truncation, WORDS_DROPPED[recipe.augment]

    def begin(self, feed: Feed, problem: Problem, stop: Stop, *, solve: bool) -> WordStart | None:
        """Look once at all training texts: how rare each number is and, if asked to `solve`, the linear solution, which
        fills the table. None where that was done before."""
        assert self.trunk is not None
        rare, table = (self.trunk.get_layer(name).embeddings for name in (COUNTED, TABLE))
        if bool(tf.reduce_any(tf.not_equal(rare.value, 1.0))):  # no count of texts makes all numbers as rare
            return None
        arrays = feed.batch(np.arange(len(feed)))
        rows = [self._row(tuple(texts)) for texts in arrays["text"]]
        width = int(table.shape[1]) if solve else 0
        found = word_start(rows, arrays, problem, self.buckets, width, stop)
        rare.assign(found.rare[:, None])
        if found.table is not None:
            columns = found.table.shape[1]
            table.assign(np.concatenate([found.table, table.numpy()[:, columns:]], 1))
        return found

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        rows = [self._row(tuple(texts)) for texts in arrays["text"]]
        return padded(rows, "int32")

    def _row(self, texts: tuple[str, ...]) -> Array:
        return known_terms(texts, self.buckets, self.length, self.truncation)

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        """Left out words have negative numbers: they still count for the length."""
        if not self.drop:
            return values
        gone = Draws(values, seed).each(values) < self.drop
        return tf.where(gone, -values, values)


def reader(job: Job, net: Net, folder: Path | None) -> Reader:
    return WordReader(job, net.trunk)
