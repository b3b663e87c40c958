"""The recurrent speech network that is trained from scratch: convolutions, and two layers that read both ways.

Small on purpose: it must learn from minutes of speech on two cores. It is the usual stack before a CTC output (Amodei
et al., 2016).
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops
from keras.initializers import RandomUniform

from autoft.api import ModelCard
from autoft_keras._frames import STRIDE, counted, heard, reader, told

__all__ = ["build", "reader"]

Tensor = Any
KERNEL = 5


def build(card: ModelCard, size: int) -> keras.Model:
    """Samples (n, t) in -1..1, NaN behind the end, to features (n, frames, width), NaN behind the end."""
    channels, hidden = int(card.extra["channels"]), int(card.extra["hidden"])
    samples = keras.Input((None,), dtype="float32", name="audio")
    x, begins, ends = heard(samples)
    x, _ = _step(x, ends, channels, 1, "block_0")
    x, there = _step(x, (ends + STRIDE - 1) // STRIDE, channels, STRIDE, "block_1")
    for number in (2, 3):
        x = _recurrent(hidden, f"block_{number}")(x, mask=there)
    return keras.Model(samples, told(x, begins, ends), name="ctc")


def _step(x: Tensor, ends: Tensor, channels: int, stride: int, name: str) -> tuple[Tensor, Tensor]:
    """A convolution over time whose output behind the end is 0, so that padding has no effect; and what is before."""
    reach = 1 / math.sqrt(KERNEL * x.shape[-1])
    starts = {"kernel_initializer": RandomUniform(-reach, reach), "bias_initializer": RandomUniform(-reach, reach)}
    x = keras.layers.ZeroPadding1D(KERNEL // 2, name=f"{name}_padding")(x)
    x = keras.layers.Conv1D(channels, KERNEL, stride, name=f"{name}_convolution", **starts)(x)
    x = ops.gelu(keras.layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(x), approximate=False)
    there = ops.less_equal(counted(x), ends)
    return x * ops.expand_dims(ops.cast(there, "float32"), -1), there


def _recurrent(hidden: int, name: str) -> keras.layers.Layer:
    """Arrays start as in PyTorch: from Keras' own start, CTC stays longer on its plateau of blanks."""
    reach = 1 / math.sqrt(hidden)
    starts = {f"{kind}_initializer": RandomUniform(-reach, reach) for kind in ("kernel", "recurrent", "bias")}
    return keras.layers.Bidirectional(keras.layers.GRU(hidden, return_sequences=True, name="gru", **starts), name=name)
