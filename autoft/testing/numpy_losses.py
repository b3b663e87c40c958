"""Losses of the numpy backend with their gradients; written apart from `reference`, which judges them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autoft.records import Output

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: Final = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "mse": "identity", "huber": "identity"}
"""Loss -> the post word that fits it."""


def value_and_gradient(output: Output, raw: Array, targets: Array, smoothing: float = 0.0) -> tuple[float, Array]:
    """The loss of raw outputs (n, size) and its gradient in them."""
    weights = np.asarray(output.class_weights or np.ones(output.size), raw.dtype)
    if output.loss == "cross_entropy":
        return _softmax_loss(raw, _spread(targets, output.size, raw.dtype), weights, smoothing)
    share = weights / weights.sum() / max(1, len(raw))
    far = raw - targets
    if output.loss == "mse":
        return float((share * far**2).sum()), 2 * share * far
    if output.loss == "huber":
        bent = np.clip(far, -1, 1)
        return float((share * (bent * far - bent**2 / 2)).sum()), share * bent
    smooth = targets * (1 - smoothing) + smoothing / 2
    terms = np.logaddexp(0, raw) - raw * smooth
    return float((share * terms).sum()), share * (apply_post("sigmoid", raw) - smooth)


def apply_post(word: str, raw: Array) -> Array:
    """Probabilities, or the raw values for `identity`."""
    if word == "sigmoid":
        return np.asarray(np.exp(-np.logaddexp(0, -raw)))
    if word == "softmax":
        grown = np.exp(raw - raw.max(1, keepdims=True)) if len(raw) else raw
        return np.asarray(grown / grown.sum(1, keepdims=True))
    return raw


def _spread(targets: Array, size: int, kind: Any) -> Array:
    return targets.astype(kind) if targets.ndim == 2 else np.eye(size, dtype=kind)[targets]


def _softmax_loss(raw: Array, spread: Array, weights: Array, smoothing: float) -> tuple[float, Array]:
    pull = weights * (spread * (1 - smoothing) + smoothing / raw.shape[1])
    mass = (weights * spread).sum()
    logs = raw - raw.max(1, keepdims=True)
    logs = logs - np.log(np.exp(logs).sum(1, keepdims=True))
    return float(-(pull * logs).sum() / mass), (pull.sum(1, keepdims=True) * np.exp(logs) - pull) / mass
