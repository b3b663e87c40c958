"""What each loss of the vocabulary means, to the last constant: the numpy code that backends are held to.

Raw outputs have channels last: (n, size) for a pooled head, (n, height, width, size) for a dense one. Targets are
class indices (raw's shape without channels) or one float per channel (raw's shape: regression, several labels, or a
distribution over classes as mixup makes it). Entries whose class index is negative are padding and count nowhere; so
do entries that are NaN, for `mse`, `mae`, `huber` and `heatmap`. Left out here: dense outputs are enlarged to the size
of their targets first, bilinear; and `Output.weight` joins several losses, it is no part of one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autoft.records import Output

Array = np.ndarray[Any, np.dtype[Any]]

GAMMA: Final = 2.0
"""Focusing exponent of `focal`."""
ALPHA: Final = 0.25
"""Weight of the positive side of `focal`; the negative side has 1 - ALPHA."""
PEAKED: Final = 2.0
"""Focusing exponent of `heatmap`."""
REDUCED: Final = 4.0
"""Exponent by which `heatmap` spares entries near a peak."""
DELTA: Final = 1.0
"""Where `huber` goes from square to line."""
SURE: Final = 1e4
"""How far ahead of all others the blank of `ctc` is in frames that can say nothing."""
SMOOTH: Final = 1.0
"""Added to numerator and denominator of `dice`, so that classes without an entry have a value."""

LATER: Final = {
    "native": "the network computes it itself, so there is nothing to compare with",
}
"""Losses without a reference, and why."""


def loss(output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
    """The loss of raw outputs (before `Output.post`), in double precision.

    Raises:
        KeyError: the loss has no reference (see `LATER`).
    """
    if output.loss == "ctc":
        return ctc(np.asarray(raw, np.float64), np.asarray(targets))
    rows, wanted = _flat(np.asarray(raw, np.float64), np.asarray(targets), output.size)
    weights = np.asarray(output.class_weights or np.ones(output.size), np.float64)
    return REFERENCES[output.loss](rows, wanted, weights, label_smoothing, output.post)


def cross_entropy(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Softmax cross-entropy; label smoothing as in Szegedy et al. (2016), which spreads mass over all classes.

    A weighted mean: the sum of weighted terms over the sum of the weights of the targets before smoothing.
    One-hot rows give the same number as the class indices they stand for.
    """
    spread = targets * (1 - smoothing) + smoothing / raw.shape[1]
    return float(-(weights * spread * log_softmax(raw)).sum() / (weights * targets).sum())


def binary_cross_entropy(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Sigmoid cross-entropy of each channel; smoothing pulls targets towards one half."""
    return _mean(_bce(raw, targets * (1 - smoothing) + smoothing / 2), weights)


def focal(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Sigmoid focal loss (Lin et al., 2017) with `GAMMA` and `ALPHA`, averaged over all elements."""
    chance = sigmoid(raw)
    right = chance * targets + (1 - chance) * (1 - targets)
    side = ALPHA * targets + (1 - ALPHA) * (1 - targets)
    return _mean(side * (1 - right) ** GAMMA * _bce(raw, targets), weights)


def heatmap(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Penalty-reduced focal loss of maps with peaks (Law & Deng, 2018): the sum over all entries, divided by the number
    of peaks, entries whose target is 1, or by 1 where there are none. Entries that are NaN count nowhere."""
    there = np.isfinite(targets)
    wanted = np.where(there, targets, 0.0)
    chance, peak = sigmoid(raw), there & (targets == 1)
    above = (1 - chance) ** PEAKED * _bce(raw, np.ones_like(raw))
    below = (1 - wanted) ** REDUCED * chance**PEAKED * _bce(raw, np.zeros_like(raw))
    terms = weights * np.where(peak, above, np.where(there, below, 0.0))
    return float(terms.sum() / max(1, int(peak.sum())))


def mse(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Mean squared error."""
    return _known_mean((raw - targets) ** 2, weights)


def mae(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Mean absolute error."""
    return _known_mean(np.abs(raw - targets), weights)


def huber(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """Half the square below `DELTA`, a line above it (Huber, 1964)."""
    far = np.abs(raw - targets)
    return _known_mean(np.where(far <= DELTA, far**2 / 2, DELTA * (far - DELTA / 2)), weights)


def dice(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """One minus the soft Dice overlap (Milletari et al., 2016) of each class over all entries of the batch.

    Probabilities come from `Output.post`: a sigmoid per channel for sigmoid and identity, else a softmax. Of classes
    that exclude each other those that the batch has count alone: any chance of another class would be all wrong, and
    a rare class would learn from most batches that there is none. Without any of them the loss is 0.
    """
    alone = post in ("sigmoid", "identity")
    chance = sigmoid(raw) if alone else np.exp(log_softmax(raw))
    weights = weights * (alone | (targets.sum(0) > 0))
    overlap = 2 * (chance * targets).sum(0) + SMOOTH
    terms = weights * (1 - overlap / (chance.sum(0) + targets.sum(0) + SMOOTH))
    return float(terms.sum() / weights.sum()) if weights.any() else 0.0


def ce_dice(raw: Array, targets: Array, weights: Array, smoothing: float, post: str) -> float:
    """The sum of both (as in nnU-Net, Isensee et al., 2021); smoothing is that of cross-entropy alone."""
    return cross_entropy(raw, targets, weights, smoothing, post) + dice(raw, targets, weights, 0.0, post)


def ctc(raw: Array, targets: Array) -> float:
    """Connectionist temporal classification (Graves et al., 2006): raw (n, frames, size), whose first class is the
    blank, and classes (n, longest), padded with negative ones. The mean over rows of minus the logarithm of the chance
    of the row, divided by its length (at least 1); a row that needs more frames than can say anything counts as 0.
    Frames whose blank is ahead by `SURE` or more can say nothing: they lie outside of the recording."""
    terms = [
        _ctc_row(log_softmax(frames), row[row >= 0]) / max(1, int((row >= 0).sum()))
        if _needed(row[row >= 0]) <= int((frames[:, 0] - frames[:, 1:].max(1) < SURE).sum())
        else 0.0
        for frames, row in zip(raw, targets, strict=True)
    ]
    return float(np.mean(terms))


def _needed(classes: Array) -> int:
    """Frames that say these classes: one for each, and a blank between equal ones."""
    return len(classes) + int((classes[1:] == classes[:-1]).sum())


def _ctc_row(logs: Array, classes: Array) -> float:
    """The forward algorithm over the classes with blanks between them."""
    path = np.zeros(2 * len(classes) + 1, np.int64)
    path[1::2] = classes
    skips = np.zeros(len(path), bool)
    skips[2:] = (path[2:] != 0) & (path[2:] != path[:-2])
    ahead = np.full(len(path), -np.inf)
    ahead[:2] = logs[0, path[:2]]
    for frame in logs[1:]:
        once = np.concatenate([[-np.inf], ahead[:-1]])
        twice = np.where(skips, np.concatenate([[-np.inf, -np.inf], ahead[:-2]])[: len(path)], -np.inf)
        ahead = np.logaddexp(np.logaddexp(ahead, once), twice) + frame[path]
    total = np.logaddexp.reduce(ahead[-2:])
    return float(-total) if np.isfinite(total) else 0.0


REFERENCES: Final[dict[str, Callable[[Array, Array, Array, float, str], float]]] = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "focal": focal,
    "heatmap": heatmap,
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "dice": dice,
    "ce_dice": ce_dice,
}


def enlarge(maps: Array, side: int) -> Array:
    """Maps (n, height, width, size) to (n, side, side, size), bilinear: places are the middles of their pixels, and
    what lies behind the outermost ones is as they are."""
    for axis in (1, 2):
        old = maps.shape[axis]
        places = np.clip((np.arange(side) + 0.5) * old / side - 0.5, 0, old - 1)
        low = np.minimum(places.astype(np.int64), max(0, old - 2))
        shares = (places - low).reshape(-1, *(1,) * (3 - axis))
        high = np.minimum(low + 1, old - 1)
        maps = maps.take(low, axis) * (1 - shares) + maps.take(high, axis) * shares
    return maps


def post(word: str, raw: Array) -> Array:
    """What `Output.post` makes of raw outputs, channels last. Dense maps are enlarged before argmax."""
    if word == "argmax":
        return np.asarray(raw.argmax(-1).astype(np.uint8 if raw.shape[-1] <= 255 else np.uint16))
    if word == "softmax":
        return np.exp(log_softmax(raw))
    return sigmoid(raw) if word == "sigmoid" else raw


def log_softmax(raw: Array) -> Array:
    shifted = raw - raw.max(-1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return logs


def sigmoid(raw: Array) -> Array:
    bent: Array = (1 + np.tanh(raw / 2)) / 2  # tanh does not overflow where exp would
    return bent


def _flat(raw: Array, targets: Array, size: int) -> tuple[Array, Array]:
    """Rows of channels and targets spread over channels, padding left out."""
    rows = raw.reshape(-1, size)
    if targets.ndim == raw.ndim:
        return rows, targets.reshape(-1, size).astype(np.float64)
    index = targets.reshape(-1)
    kept = index >= 0
    return rows[kept], np.eye(size)[index[kept]]


def _bce(raw: Array, targets: Array) -> Array:
    terms: Array = np.maximum(raw, 0) - raw * targets + np.log1p(np.exp(-np.abs(raw)))
    return terms


def _known_mean(terms: Array, weights: Array) -> float:
    """The weighted mean of the terms that are no NaN; 0 where there are none."""
    there = np.isfinite(terms)
    mass = (there * weights).sum()
    return float((np.where(there, terms, 0.0) * weights).sum() / mass) if mass else 0.0


def _mean(terms: Array, weights: Array) -> float:
    return float(np.average(terms, axis=1, weights=weights).mean())
