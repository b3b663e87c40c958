"""The convolutional speech network that is trained from scratch: each frame of its output hears 0.6 seconds.

A recurrent network also learns in which order words stood in its training transcripts. One that hears a stretch of
sound cannot (Collobert et al., 2016), if neither silence (`_frames`) nor padding tell it where a recording begins:
before the first frame stand the next ones, as in a mirror. Blocks are time-channel separable convolutions with
residuals, as in QuartzNet (Kriman et al., 2020); each frame is normalised by itself and not over the batch: batches
are small, and padded.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops
from keras.initializers import RandomUniform

from autoft.api import ModelCard
from autoft_keras._frames import STRIDE, counted, heard, reader, told

__all__ = ["build", "reader"]

Tensor = Any
FIRST = 5
"""Frames in the kernels of the first two convolutions, which halve them."""
EDGE = 2
"""Frames at either end of a recording whose windows reach beyond it."""


def build(card: ModelCard, size: int) -> keras.Model:
    """Samples (n, t) in -1..1, NaN behind the end, to features (n, frames, channels), NaN behind the end."""
    channels, kernel, depth = (int(card.extra[key]) for key in ("channels", "kernel", "depth"))
    samples = keras.Input((None,), dtype="float32", name="audio")
    x, begins, ends = heard(samples)
    x = _mirrored(x, begins, ends, 3 * (FIRST // 2) + STRIDE * depth * (kernel // 2))
    for number in range(2):
        x = _step(x, channels, f"block_{number}")
    for number in range(2, 2 + depth):
        x = _separable(x, kernel, f"block_{number}")
    x = layers.LayerNormalization(epsilon=1e-5, name=f"block_{1 + depth}_last")(x)
    return keras.Model(samples, told(x, begins, ends), name="ctc")


def _step(x: Tensor, channels: int, name: str) -> Tensor:
    """A convolution that halves the frames, without padding."""
    starts = _starts(FIRST * x.shape[-1], "kernel", "bias")
    x = layers.Conv1D(channels, FIRST, 2, name=f"{name}_convolution", **starts)(x)
    return ops.gelu(layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(x), approximate=False)


def _separable(x: Tensor, kernel: int, name: str) -> Tensor:
    """Adds to frames (n, t, channels) what a convolution of each channel over time, then of each frame over the
    channels, makes of them; without padding, so that the outermost frames are lost."""
    channels = x.shape[-1]
    near = layers.DepthwiseConv1D(kernel, name=f"{name}_along", **_starts(kernel, "depthwise", "bias"))(x)
    near = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")(near)
    near = layers.Dense(2 * channels, name=f"{name}_wide", **_starts(channels, "kernel", "bias"))(near)
    near = ops.gelu(near, approximate=False)
    near = layers.Dense(channels, name=f"{name}_narrow", **_starts(2 * channels, "kernel", "bias"))(near)
    return layers.Cropping1D(kernel // 2, name=f"{name}_middle")(x) + near


def _starts(inputs: int, *arrays: str) -> dict[str, Any]:
    """As PyTorch begins, from so many inputs of each output."""
    reach = 1 / math.sqrt(inputs)
    return {f"{array}_initializer": RandomUniform(-reach, reach) for array in arrays}


def _mirrored(x: Tensor, begins: Tensor, ends: Tensor, reach: int) -> Tensor:
    """Frames (n, t + 2 * reach, bands): each recording goes on beyond both of its ends (n, 1) as in mirrors."""
    places = counted(layers.ZeroPadding1D(reach, name="reach")(x)) - 1 - reach
    low = ops.minimum(ops.maximum(begins, EDGE), ends - 1)
    wide = ops.maximum(ends - 1 - EDGE - low, 0)
    around = ops.mod(places - low, ops.maximum(2 * wide, 1))
    chosen = low + ops.minimum(around, 2 * wide - around)
    return ops.take_along_axis(x, ops.expand_dims(chosen, -1), axis=1)
