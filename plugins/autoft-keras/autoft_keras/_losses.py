"""Losses of raw outputs; `autoft.testing.reference` says what each means, and the tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from autoft.api import Output

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Tensor = Any

#: Focusing exponent and weight of the positive side of the focal loss (Lin et al., 2017).
GAMMA, ALPHA = 2.0, 0.25
#: Where the Huber loss passes from a parabola to a line.
DELTA = 1.0


def loss(output: Output, raw: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The mean loss of a batch, a number, in float32.

    Args:
        raw: (n, size), before any softmax or sigmoid.
        targets: class indices int64 (n,), negative ones left out, or one float per channel (n, size).
    """
    rows, wanted = _pair(tf.cast(raw, tf.float32), targets, output.size)
    weights = tf.constant(output.class_weights or (1.0,) * output.size, tf.float32)
    if output.loss == "cross_entropy":
        spread = wanted * (1 - label_smoothing) + label_smoothing / output.size
        return -tf.reduce_sum(weights * spread * tf.nn.log_softmax(rows)) / tf.reduce_sum(weights * wanted)
    terms = _terms(output.loss, rows, wanted, label_smoothing)
    return tf.reduce_mean(tf.reduce_sum(terms * weights, -1) / tf.reduce_sum(weights))


def _pair(raw: Tensor, targets: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Raw outputs and targets as rows of channels; class indices become rows of 0 and 1, padding is left out."""
    rows = tf.reshape(raw, (-1, size))
    if targets.shape.rank == raw.shape.rank:
        return rows, tf.cast(tf.reshape(targets, (-1, size)), tf.float32)
    index = tf.reshape(targets, (-1,))
    kept = index >= 0
    return tf.boolean_mask(rows, kept), tf.one_hot(tf.boolean_mask(index, kept), size)


def _terms(word: str, raw: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
    """The loss of each channel of each row."""
    if word == "binary_cross_entropy":
        return tf.nn.sigmoid_cross_entropy_with_logits(wanted * (1 - smoothing) + smoothing / 2, raw)
    if word == "focal":
        chance = tf.sigmoid(raw)
        right = chance * wanted + (1 - chance) * (1 - wanted)
        side = ALPHA * wanted + (1 - ALPHA) * (1 - wanted)
        return side * (1 - right) ** GAMMA * tf.nn.sigmoid_cross_entropy_with_logits(wanted, raw)
    far = tf.abs(raw - wanted)
    if word == "huber":
        near = tf.minimum(far, DELTA)
        return 0.5 * near**2 + DELTA * (far - near)
    return far**2 if word == "mse" else far


def soften(output: Output, targets: Tensor) -> Tensor:
    """Targets that can be mixed: class indices become probabilities."""
    return targets if targets.dtype.is_floating else tf.one_hot(targets, output.size)


def evaluate(output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
    """The loss of numpy arrays, for the contract kit."""
    return float(loss(output, tf.convert_to_tensor(raw), tf.convert_to_tensor(targets), label_smoothing))


def finish(output: Output, raw: Tensor) -> Tensor:
    """`Output.post` of raw outputs, float32."""
    raw = tf.cast(raw, tf.float32)
    if output.post == "softmax":
        return tf.nn.softmax(raw)
    return tf.sigmoid(raw) if output.post == "sigmoid" else raw
