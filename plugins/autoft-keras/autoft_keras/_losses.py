"""Losses of raw outputs; `autoft.testing.reference` says what each means, and the tests compare."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import tensorflow as tf

from autoft.api import Output
from autoft.vocab import index_type
from autoft_keras import _planes
from autoft_keras._planes import SMOOTH

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

#: Focusing exponent and weight of the positive side of the focal loss (Lin et al., 2017).
GAMMA, ALPHA = 2.0, 0.25
#: Focusing exponent of the heat map's loss, and the one by which it spares places near a peak (Law & Deng, 2018).
PEAKED, REDUCED = 2.0, 4.0
#: Losses that leave out places whose target is NaN, and average over the others.
MASKED = ("mse", "mae", "huber")
#: How far ahead the blank is in frames that can say nothing else.
SURE = 1e4
#: Channels of a picture's maps that are enlarged at a time.
WIDE = 16
#: Where the Huber loss passes from a parabola to a line.
DELTA = 1.0


def loss(output: Output, raw: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """The mean loss of a batch, a number, in float32.

    Args:
        raw: (n, size), before any softmax or sigmoid.
        targets: class indices int64 (n,), negative ones left out, or one float per channel (n, size).

    For a dense head (n, height, width, ...); `raw` is enlarged to the size of the targets.
    """
    if output.loss == "ctc":
        return _ctc(tf.cast(raw, tf.float32), targets)
    if raw.shape.rank == 4 and raw.shape[1:3] != targets.shape[1:3]:
        raw = enlarge(raw, targets.shape[1])
    if _planes.fits(output, raw, targets):
        return _planes.loss(output, raw, targets, label_smoothing)
    if output.loss == "ce_dice":
        parts = [msgspec.structs.replace(output, loss=word) for word in ("cross_entropy", "dice")]
        return loss(parts[0], raw, targets, label_smoothing) + loss(parts[1], raw, targets)
    if output.loss == "cross_entropy" and not targets.dtype.is_floating:
        return _indexed(output, tf.reshape(tf.cast(raw, tf.float32), (-1, output.size)), targets, label_smoothing)
    rows, wanted = _pair(tf.cast(raw, tf.float32), targets, output.size)
    weights = tf.constant(output.class_weights or (1.0,) * output.size, tf.float32)
    if output.loss == "cross_entropy":
        spread = wanted * (1 - label_smoothing) + label_smoothing / output.size
        return -tf.reduce_sum(weights * spread * tf.nn.log_softmax(rows)) / tf.reduce_sum(weights * wanted)
    if output.loss == "dice":
        if output.post in ("sigmoid", "identity"):
            return _dice(tf.sigmoid(rows), wanted, weights)
        there = tf.cast(tf.reduce_sum(wanted, 0) > 0, tf.float32)
        return _dice(tf.nn.softmax(rows), wanted, weights * there)
    terms = _terms(output.loss, rows, wanted, label_smoothing) * weights
    if output.loss == "heatmap":
        peaks = tf.reduce_sum(tf.cast(wanted == 1, tf.float32))
        return tf.reduce_sum(terms) / tf.maximum(peaks, 1)
    if output.loss in MASKED:
        known = tf.cast(tf.math.is_finite(wanted), tf.float32) * weights
        return tf.reduce_sum(terms) / tf.maximum(tf.reduce_sum(known), tf.reduce_min(weights))
    return tf.reduce_mean(tf.reduce_sum(terms, -1) / tf.reduce_sum(weights))


def enlarge(raw: Tensor, side: Tensor | int) -> Tensor:
    """Maps (n, height, width, size) to (n, side, side, size), bilinear."""
    return tf.image.resize(raw, (side, side), "bilinear")


def _ctc(raw: Tensor, targets: Tensor) -> Tensor:
    """Minus the logarithm of the chance of each row of classes, by its length (Graves et al., 2006); 0 for rows that
    cannot be said in so few frames. Frames that are sure of the blank, outside of a recording, are none: a row that is
    said with their help would cost thousands.

    TensorFlow's operation for sparse labels: the one for dense labels, which Keras calls, multiplies by a matrix of all
    pairs of states at each frame, and lets no path cost more than 707.
    """
    said = targets >= 0
    lengths = tf.reduce_sum(tf.cast(said, tf.int32), 1)
    twice = said[:, 1:] & (targets[:, 1:] == targets[:, :-1])  # a blank must stand between the two
    frames = tf.fill(tf.shape(lengths), tf.shape(raw)[1])
    heard = raw[..., 0] - tf.reduce_max(raw[..., 1:], -1) < SURE
    fits = lengths + tf.reduce_sum(tf.cast(twice, tf.int32), 1) <= tf.reduce_sum(tf.cast(heard, tf.int32), 1)
    # It takes no row without classes, and gives no number for one that does not fit: such rows have one class here.
    plain = (lengths > 0) & fits
    first = tf.concat([tf.ones_like(targets[:, :1]), -tf.ones_like(targets[:, 1:])], 1)
    wanted = tf.where(plain[:, None], targets, first)
    each, _ = tf.raw_ops.CTCLoss(
        inputs=tf.transpose(tf.concat([raw[..., 1:], raw[..., :1]], -1), (1, 0, 2)),  # its blank is the last class
        labels_indices=tf.where(wanted >= 0),
        labels_values=tf.cast(tf.boolean_mask(wanted, wanted >= 0), tf.int32) - 1,
        sequence_length=frames,
    )
    silence = -tf.reduce_sum(tf.nn.log_softmax(raw)[..., 0], 1)
    each = tf.where(plain, each, tf.where(fits, silence, 0.0))
    return tf.reduce_mean(each / tf.cast(tf.maximum(lengths, 1), tf.float32))


def _indexed(output: Output, rows: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of rows without spreading indices over channels. Maps of classes have their own way (`_planes`)."""
    index = tf.reshape(tf.cast(targets, tf.int64), (-1,))
    kept = tf.cast(index >= 0, tf.float32)
    index = tf.maximum(index, 0)
    weights = tf.constant(output.class_weights or (1.0,) * output.size, tf.float32)
    mass = (tf.gather(weights, index) if output.class_weights else tf.ones_like(kept)) * kept
    total = (1 - smoothing) * tf.reduce_sum(mass * tf.nn.sparse_softmax_cross_entropy_with_logits(index, rows))
    if smoothing:
        spread = tf.reduce_sum(weights * tf.nn.log_softmax(rows), -1)
        total -= smoothing / output.size * tf.reduce_sum(kept * spread)
    return total / tf.maximum(tf.reduce_sum(mass), 1e-6)


def _dice(chance: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """One minus the soft overlap of each class over all rows (Milletari et al., 2016)."""
    overlap = 2 * tf.reduce_sum(chance * wanted, 0) + SMOOTH
    whole = tf.reduce_sum(chance, 0) + tf.reduce_sum(wanted, 0) + SMOOTH
    return tf.reduce_sum((1 - overlap / whole) * weights) / tf.maximum(tf.reduce_sum(weights), 1e-6)


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
        return focal(raw, wanted)
    if word == "heatmap":
        return _peaks(raw, wanted)
    # Where the target is NaN, the output counts as right: neither a loss nor a gradient comes from it.
    far = tf.abs(raw - tf.where(tf.math.is_finite(wanted), wanted, tf.stop_gradient(raw)))
    if word == "huber":
        near = tf.minimum(far, DELTA)
        return 0.5 * near**2 + DELTA * (far - near)
    return far**2 if word == "mse" else far


def focal(raw: Tensor, wanted: Tensor) -> Tensor:
    """The focal term of each channel (Lin et al., 2017)."""
    chance = tf.sigmoid(raw)
    right = chance * wanted + (1 - chance) * (1 - wanted)
    side = ALPHA * wanted + (1 - ALPHA) * (1 - wanted)
    return side * (1 - right) ** GAMMA * tf.nn.sigmoid_cross_entropy_with_logits(wanted, raw)


def _peaks(raw: Tensor, wanted: Tensor) -> Tensor:
    """Penalty-reduced focal terms (Law & Deng, 2018)."""
    chance = tf.sigmoid(raw)
    peak = (1 - chance) ** PEAKED * tf.nn.softplus(-raw)
    known = tf.where(tf.math.is_finite(wanted), wanted, 1.0)
    around = (1 - known) ** REDUCED * chance**PEAKED * tf.nn.softplus(raw)
    return tf.where(wanted == 1, peak, around)


def soften(output: Output, targets: Tensor) -> Tensor:
    """Targets that can be mixed: class indices become probabilities."""
    return targets if targets.dtype.is_floating else tf.one_hot(targets, output.size)


def evaluate(output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
    """The loss of numpy arrays, for the contract kit."""
    return float(loss(output, tf.convert_to_tensor(raw), tf.convert_to_tensor(targets), label_smoothing))


def finish(output: Output, raw: Tensor, size: Tensor | int = 0) -> Tensor:
    """`Output.post` of raw outputs, float32; for argmax uint8 or uint16, of maps enlarged to `size`."""
    raw = tf.cast(raw, tf.float32)
    if output.post == "argmax":
        return (
            _largest(output, raw, size) if raw.shape.rank == 4 else tf.cast(tf.argmax(raw, -1), index_type(output.size))
        )
    if output.post == "softmax":
        return tf.nn.softmax(raw)
    return tf.sigmoid(raw) if output.post == "sigmoid" else raw


def _largest(output: Output, raw: Tensor, size: Tensor | int) -> Tensor:
    """Indices of the largest channel of maps (n, height, width, channels) that are enlarged: one picture after another,
    and of its channels `WIDE` at a time. All of them at once take gigabytes where pictures are large."""

    def found(maps: Tensor) -> Tensor:
        best = index = None
        for first in range(0, output.size, WIDE):
            some = enlarge(maps[None, ..., first : first + WIDE], size)[0]
            here, most = tf.argmax(some, -1, tf.int32) + first, tf.reduce_max(some, -1)
            index = here if index is None else tf.where(most > best, here, index)
            best = most if best is None else tf.maximum(best, most)
        return tf.cast(index, index_type(output.size))

    kind = tf.TensorSpec((None, None), index_type(output.size))
    return tf.map_fn(found, raw, parallel_iterations=1, fn_output_signature=kind)
