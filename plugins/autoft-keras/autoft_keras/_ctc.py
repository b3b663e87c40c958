"""The speech network that is trained from scratch: log-mel frames, convolutions, and two recurrent layers.

Small on purpose: it must learn from minutes of speech on two cores. It is the usual stack before a CTC output (Amodei
et al., 2016), with masks over bands and frames as in SpecAugment (Park et al., 2019). It is made of Keras' own layers
and operations, so that a saved model takes samples and needs nothing of autoft.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from keras.initializers import RandomUniform

from autoft.api import Job, ModelCard, mel_filters
from autoft_keras._augment import Draws
from autoft_keras._net import MIDWAY, Net
from autoft_keras._rows import Reader
from autoft_keras._waves import masked, sped, waves

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

WINDOW, HOP, BANDS = 512, 160, 64
STRIDE = 4
"""Frames of 10 ms in one frame of the output."""
KERNEL = 5
#: Policy -> masks over bands and over time, and the largest change of speed.
MASKS = {"none": (0, 0, 0.0), "light": (1, 2, 0.05), "trivial": (1, 2, 0.1), "strong": (2, 4, 0.1)}
WIDEST = (12, 0.05)
"""Of one mask: bands, and the share of all frames."""
LEAST = 1024
"""Samples of a row, so that one window fits in, slower or faster."""


def build(card: ModelCard, size: int) -> keras.Model:
    """Samples (n, t) in -1..1, NaN behind the end, to features (n, frames, width), NaN behind the end."""
    channels, hidden = int(card.extra["channels"]), int(card.extra["hidden"])
    samples = keras.Input((None,), dtype="float32", name="audio")
    seen = keras.layers.Identity(name=MIDWAY, dtype="float32")(_levelled(samples))
    there = ops.all(ops.isfinite(seen), axis=-1)
    frames = ops.sum(ops.cast(there, "int32"), axis=1, keepdims=True)
    x, _ = _step(ops.where(ops.expand_dims(there, -1), seen, 0.0), frames, channels, 1, "block_0")
    x, there = _step(x, (frames + STRIDE - 1) // STRIDE, channels, STRIDE, "block_1")
    for number in (2, 3):
        x = _recurrent(hidden, f"block_{number}")(x, mask=there)
    features = ops.where(ops.expand_dims(there, -1), x, np.nan)
    return keras.Model(samples, features, name="ctc")


def _levelled(samples: Tensor) -> Tensor:
    """Logarithms of band energies (n, frames, bands), each band with mean 0 and deviation 1 over the frames of its
    recording, NaN behind the end."""
    known = ops.isfinite(samples)
    count = ops.sum(ops.cast(known, "int32"), axis=1, keepdims=True)
    parts = ops.stft(ops.where(known, samples, 0.0), WINDOW, HOP, WINDOW)
    power = ops.square(parts[0]) + ops.square(parts[1])
    seen = ops.log(ops.matmul(power, mel_filters(WINDOW, BANDS).T.copy()) + 1e-6)
    there = ops.expand_dims(ops.less_equal(_counted(seen), ops.maximum(count // HOP, 1)), -1)
    kept = ops.cast(there, "float32")
    frames = ops.maximum(ops.sum(kept, axis=1, keepdims=True), 1.0)
    mean = ops.sum(seen * kept, axis=1, keepdims=True) / frames
    spread = ops.sum(ops.square((seen - mean) * kept), axis=1, keepdims=True) / frames
    return ops.where(there, (seen - mean) / (ops.sqrt(spread) + 1e-2), np.nan)


def _counted(x: Tensor) -> Tensor:
    """Places (n, t) of frames (n, t, width), from 1 on."""
    return ops.cumsum(ops.max(ops.ones_like(x, dtype="int32"), axis=-1), axis=1)


def _step(x: Tensor, ends: Tensor, channels: int, stride: int, name: str) -> tuple[Tensor, Tensor]:
    """A convolution over time whose output behind the end is 0, so that padding has no effect; and what is before."""
    reach = 1 / math.sqrt(KERNEL * x.shape[-1])
    starts = {"kernel_initializer": RandomUniform(-reach, reach), "bias_initializer": RandomUniform(-reach, reach)}
    x = keras.layers.ZeroPadding1D(KERNEL // 2, name=f"{name}_padding")(x)
    x = keras.layers.Conv1D(channels, KERNEL, stride, name=f"{name}_convolution", **starts)(x)
    x = ops.gelu(keras.layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(x), approximate=False)
    there = ops.less_equal(_counted(x), ends)
    return x * ops.expand_dims(ops.cast(there, "float32"), -1), there


def _recurrent(hidden: int, name: str) -> keras.layers.Layer:
    """Arrays start as in PyTorch: from Keras' own start, CTC stays longer on its plateau of blanks."""
    reach = 1 / math.sqrt(hidden)
    starts = {f"{kind}_initializer": RandomUniform(-reach, reach) for kind in ("kernel", "recurrent", "bias")}
    return keras.layers.Bidirectional(keras.layers.GRU(hidden, return_sequences=True, name="gru", **starts), name=name)


class WaveReader(Reader):
    """Recordings to samples; where they are augmented, to what stands midway, the frames."""

    def __init__(self, job: Job, net: Net) -> None:
        self.bands, self.times, self.speed = MASKS[job.recipe.augment]
        self._front = net.front
        signature = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((2,), tf.int32)]
        self._graph = tf.function(self._changed, input_signature=signature, autograph=False)

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        return waves(arrays["audio"], arrays["length"], LEAST, cropped=cropped)

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        """One change of speed for the whole batch, and masks for each recording."""
        return self._graph(values, seed)

    def _changed(self, values: Tensor, seed: Tensor) -> Tensor:
        draws = Draws(values, seed)
        seen = self._front(sped(values, self.speed, draws), training=False)
        return masked(seen, self.bands, self.times, WIDEST, draws)


def reader(job: Job, net: Net, folder: Path | None) -> Reader:
    return WaveReader(job, net)
