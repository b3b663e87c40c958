"""A small network that predicts quantiles, in numpy alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from autoft_graybox.curve import Array

QUANTILES: Final = np.array([0.05, 0.15, 0.3, 0.5, 0.7, 0.82, 0.9, 0.95, 0.98], np.float32)
WEIGHTS: Final = np.diff(np.concatenate([[0], (QUANTILES[1:] + QUANTILES[:-1]) / 2, [1]]))
"""Probability that each quantile stands for."""

HIDDEN: Final = (64, 48)
RATE: Final = 2e-3
BATCH: Final = 512
DROPOUT: Final = 0.1
DECAY: Final = 1e-2
WARMUP: Final = 100
"""Steps over which the learning rate rises."""
HUBER: Final = 0.01
"""Below this error the pinball loss is smooth."""

Layers = list[Array]
"""Weights and biases in turn."""


def forward(layers: Layers, x: Array) -> Array:
    """float32 (n, quantiles) from (n, features)."""
    for weights, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        x = np.maximum(x @ weights + bias, 0)
    out: Array = x @ layers[-2] + layers[-1]
    return out


def train(x: Array, y: Array, weights: Array, seed: int, epochs: int) -> Layers:
    """Fit by the pinball loss (Koenker and Bassett, 1978) with AdamW and a cosine; `weights` (n,) have mean 1."""
    generator = np.random.default_rng(seed)
    layers = _start(x.shape[1], generator)
    moments = [(np.zeros_like(layer), np.zeros_like(layer)) for layer in layers]
    batch = min(BATCH, len(x))
    steps = epochs * (len(x) // batch)
    step = 0
    for _ in range(epochs):
        order = generator.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            rows = order[start : start + batch]
            gradients = _gradients(layers, x[rows], y[rows], weights[rows], generator)
            step += 1
            rate = RATE * (0.5 + 0.5 * np.cos(np.pi * step / steps)) * min(1.0, step / WARMUP)
            for layer, gradient, (mean, square) in zip(layers, gradients, moments, strict=True):
                mean += 0.1 * (gradient - mean)
                square += 0.01 * (gradient**2 - square)
                move = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
                layer -= np.float32(rate) * (move + (DECAY * layer if layer.ndim == 2 else 0))
    return layers


def _start(width: int, generator: np.random.Generator) -> Layers:
    layers: Layers = []
    sizes = (width, *HIDDEN, len(QUANTILES))
    for fan_in, fan_out in pairwise(sizes):
        gain = 0.1 if fan_out == len(QUANTILES) else 1.0
        layers.append((generator.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)) * gain).astype(np.float32))
        layers.append(np.zeros(fan_out, np.float32))
    return layers


def _gradients(layers: Layers, x: Array, y: Array, weights: Array, generator: np.random.Generator) -> Layers:
    inputs = [x]
    for matrix, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        hidden = np.maximum(inputs[-1] @ matrix + bias, 0)
        keep = generator.random(hidden.shape, dtype=np.float32) > DROPOUT
        inputs.append(hidden * keep / np.float32(1 - DROPOUT))
    error = y[:, None] - (inputs[-1] @ layers[-2] + layers[-1])
    slope = np.where(error > 0, -QUANTILES, 1 - QUANTILES) * np.minimum(np.abs(error) / HUBER, 1)
    back = (slope * weights[:, None] / len(x)).astype(np.float32)
    gradients: Layers = []
    for place in range(len(inputs) - 1, -1, -1):
        gradients[:0] = [inputs[place].T @ back, back.sum(0)]
        if place:
            back = (back @ layers[2 * place].T) * (inputs[place] > 0) / np.float32(1 - DROPOUT)
    return gradients
