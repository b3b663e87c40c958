"""What speech networks that are trained from scratch have in common: log-mel frames, masked in training.

Made of Keras' own layers and operations, so that a saved model takes samples and needs nothing of autoft. Masks over
bands and frames are those of SpecAugment (Park et al., 2019).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from autoft.api import FRAME_MASKS, WIDEST_MASK, Job, mel_filters
from autoft_keras._augment import Draws
from autoft_keras._net import MIDWAY, Net
from autoft_keras._rows import Reader
from autoft_keras._waves import masked, sped, waves

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

WINDOW, HOP, BANDS = 512, 160, 64
STRIDE = 4
"""Frames of 10 ms in one frame of the output."""
QUIET = 20
"""Frames of silence that are left at either end of a recording."""
FAR = 1 << 30
"""A place behind all frames."""
LEAST = 1024
"""Samples of a row, so that one window fits in, slower or faster."""


def heard(samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Frames of 10 ms (n, t, bands), 0 outside; and where they begin and end (n, 1), without quiet ends. In training
    they are masked midway."""
    seen = keras.layers.Identity(name=MIDWAY, dtype="float32")(_levelled(samples))
    inside = ops.all(ops.isfinite(seen), axis=-1)
    places = counted(seen)
    begins = ops.min(ops.where(inside, places, FAR), axis=1, keepdims=True) - 1
    ends = ops.max(ops.where(inside, places, 0), axis=1, keepdims=True)
    return ops.where(ops.expand_dims(inside, -1), seen, 0.0), begins, ends


def told(x: Tensor, begins: Tensor, ends: Tensor) -> Tensor:
    """Frames of the output, NaN outside of frames of 10 ms."""
    places = counted(x)
    inside = ops.logical_and(places > begins // STRIDE, places <= (ends + STRIDE - 1) // STRIDE)
    return ops.where(ops.expand_dims(inside, -1), x, np.nan)


def _levelled(samples: Tensor) -> Tensor:
    """Logarithms of band energies (n, frames, bands), each band with mean 0 and deviation 1 over the frames of its
    recording, NaN behind its end and where its ends are quiet."""
    known = ops.isfinite(samples)
    count = ops.sum(ops.cast(known, "int32"), axis=1, keepdims=True)
    parts = ops.stft(ops.where(known, samples, 0.0), WINDOW, HOP, WINDOW)
    power = ops.square(parts[0]) + ops.square(parts[1])
    seen = ops.log(ops.matmul(power, mel_filters(WINDOW, BANDS).T.copy()) + 1e-6)
    there = ops.expand_dims(ops.less_equal(counted(seen), ops.maximum(count // HOP, 1)), -1)
    kept = ops.cast(there, "float32")
    frames = ops.maximum(ops.sum(kept, axis=1, keepdims=True), 1.0)
    mean = ops.sum(seen * kept, axis=1, keepdims=True) / frames
    spread = ops.sum(ops.square((seen - mean) * kept), axis=1, keepdims=True) / frames
    level = (seen - mean) / (ops.sqrt(spread) + 1e-2)
    return ops.where(ops.logical_and(there, _sounding(level, there)), level, np.nan)


def _sounding(level: Tensor, there: Tensor) -> Tensor:
    """bool (n, frames, 1): False for what is quiet at both ends of a recording, at least `QUIET` frames away from any
    that is as loud as the mean, which is 0 in every band.

    In training transcripts that all begin alike, the first word could be read off the silence before it.
    """
    places = ops.expand_dims(counted(level), -1)
    loud = ops.logical_and(there, ops.mean(level, axis=-1, keepdims=True) > 0)
    first = ops.min(ops.where(loud, places, FAR), axis=1, keepdims=True)
    last = ops.max(ops.where(loud, places, 0), axis=1, keepdims=True)
    near = ops.logical_and(places >= first - QUIET, places <= last + QUIET)
    return ops.logical_or(near, ops.equal(first, FAR))


def counted(x: Tensor) -> Tensor:
    """Places (n, t) of frames (n, t, width), from 1 on."""
    return ops.cumsum(ops.max(ops.ones_like(x, dtype="int32"), axis=-1), axis=1)


class WaveReader(Reader):
    """Recordings to samples; where they are augmented, to what stands midway, the frames."""

    def __init__(self, job: Job, net: Net) -> None:
        self.bands, self.times, self.speed = FRAME_MASKS[job.recipe.augment]
        self._front = net.front
        signature = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((2,), tf.int32)]
        self._graph = tf.function(self._changed, input_signature=signature, autograph=False)

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        audio = arrays["audio"]
        self.frames = -(-(max(audio.shape[1], LEAST) // HOP + 1) // STRIDE)
        return waves(audio, arrays["length"], LEAST, WINDOW)

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        """One change of speed for the whole batch, and masks for each recording."""
        return self._graph(values, seed)

    def _changed(self, values: Tensor, seed: Tensor) -> Tensor:
        draws = Draws(values, seed)
        seen = self._front(sped(values, self.speed, draws), training=False)
        return masked(seen, self.bands, self.times, WIDEST_MASK, draws)


def reader(job: Job, net: Net, folder: Path | None) -> Reader:
    return WaveReader(job, net)
