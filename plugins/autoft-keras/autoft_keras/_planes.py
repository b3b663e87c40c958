"""Losses of maps of classes, computed plane by plane.

The classes of a place are few and places are many: a CPU takes less time for a softmax over planes (n, classes, height,
width) than over the last of (n, height, width, classes), and both losses of a mix can share it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from autoft.api import Output

Tensor = Any

WORDS = {"cross_entropy": ("cross_entropy",), "dice": ("dice",), "ce_dice": ("cross_entropy", "dice")}
#: Added to numerator and denominator of the Dice overlap.
SMOOTH = 1.0


def fits(output: Output, raw: Tensor, targets: Tensor) -> bool:
    """Whether this is a map of classes, of which each place has one, under losses that are known here."""
    exclusive = output.post not in ("sigmoid", "identity") and not targets.dtype.is_floating
    return raw.shape.rank == 4 and targets.shape.rank == 3 and output.loss in WORDS and exclusive


def loss(output: Output, raw: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """The mean loss of a batch, float32.

    Args:
        raw: (n, height, width, classes), of the size of the targets.
        targets: class indices (n, height, width), negative ones left out.
        smoothing: of labels, for cross-entropy.
    """
    planes = tf.transpose(tf.cast(raw, tf.float32), (0, 3, 1, 2))
    planes -= tf.stop_gradient(tf.reduce_max(planes, 1, keepdims=True))
    logs = planes - tf.math.log(tf.reduce_sum(tf.exp(planes), 1, keepdims=True))
    kept, index = tf.cast(targets >= 0, tf.float32), tf.maximum(tf.cast(targets, tf.int32), 0)
    wanted = tf.one_hot(index, output.size, axis=1)
    weights = tf.constant(output.class_weights or (1.0,) * output.size, tf.float32)
    found = []
    for word in WORDS[output.loss]:
        if word == "dice":
            found.append(_dice(tf.exp(logs), wanted, kept, weights))
        else:
            each = tf.gather(weights, index) * kept if output.class_weights else kept
            found.append(_cross_entropy(logs, wanted, kept, each, weights, smoothing))
    return tf.add_n(found)


def _cross_entropy(
    logs: Tensor, wanted: Tensor, kept: Tensor, each: Tensor, weights: Tensor, smoothing: float
) -> Tensor:
    total = -(1 - smoothing) * tf.reduce_sum(tf.reduce_sum(logs * wanted, 1) * each)
    if smoothing:
        spread = tf.reduce_sum(logs * weights[:, None, None], 1)
        total -= smoothing / weights.shape[0] * tf.reduce_sum(kept * spread)
    return total / tf.maximum(tf.reduce_sum(each), 1e-6)


def _dice(chance: Tensor, wanted: Tensor, kept: Tensor, weights: Tensor) -> Tensor:
    """One minus the soft overlap of each class that the batch has, over all places (Milletari et al., 2016)."""
    wanted *= kept[:, None]
    there = tf.reduce_sum(wanted, (0, 2, 3))
    overlap = 2 * tf.reduce_sum(chance * wanted, (0, 2, 3)) + SMOOTH
    both = tf.reduce_sum(chance * kept[:, None], (0, 2, 3)) + there + SMOOTH
    weights *= tf.cast(there > 0, tf.float32)
    return tf.reduce_sum((1 - overlap / both) * weights) / tf.maximum(tf.reduce_sum(weights), 1e-6)
