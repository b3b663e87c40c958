"""Recordings as samples: from a feed, and augmented (SpecAugment of Park et al., 2019; speeds of Ko et al., 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from autoft_keras._augment import Draws

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any


MULTIPLE = 10_240
"""Samples by which batches differ in length: kernels are planned anew for each length."""


def waves(audio: Array, lengths: Array, least: int, behind: int) -> Array:
    """Samples int16 (n, t) as float32 in -1..1, NaN behind the end, at least `least` of them. What lies behind all ends
    is left out, but for `behind` samples, to which the window of the last frame may reach, and up to `MULTIPLE`."""
    whole = max(audio.shape[1], least)
    most = min(whole, max(least, -(-(int(lengths.max(initial=1)) + behind) // MULTIPLE) * MULTIPLE))
    found = np.full((len(audio), most), np.nan, np.float32)
    known = audio[:, :most]
    found[:, : known.shape[1]] = known.astype(np.float32) / 32768
    found[np.arange(most)[None] >= lengths[:, None]] = np.nan
    return found


def sped(values: Tensor, most: float, draws: Draws) -> Tensor:
    """Waves that are NaN behind the end, all faster or slower by a factor drawn up to `most` from 1, and filled
    up to a multiple of `MULTIPLE`."""
    if not most:
        return values
    factor = draws.uniform(1 - most, 1 + most)[0]
    total = tf.shape(values)[1]
    count = tf.cast(tf.cast(total, tf.float32) * factor, tf.int32)
    places = (tf.range(count, dtype=tf.float32) + 0.5) / factor - 0.5
    places = tf.clip_by_value(places, 0, tf.cast(total - 1, tf.float32))
    before = tf.cast(places, tf.int32)
    share = (places - tf.cast(before, tf.float32))[None]
    there = tf.math.is_finite(values)
    known = tf.where(there, values, 0.0)
    first, second = tf.gather(known, before, axis=1), tf.gather(known, tf.minimum(before + 1, total - 1), axis=1)
    ends = tf.cast(tf.reduce_sum(tf.cast(there, tf.float32), 1) * factor, tf.int32)
    inside = tf.range(count)[None] < tf.minimum(ends, count)[:, None]
    changed = tf.where(inside, first + (second - first) * share, np.nan)
    return tf.pad(changed, [[0, 0], [0, -count % MULTIPLE]], constant_values=np.nan)


def masked(seen: Tensor, bands: int, times: int, widest: tuple[int, float], draws: Draws) -> Tensor:
    """Frames (n, t, bands), NaN outside of the recording, with stretches of bands and of time set to 0, the mean.

    Args:
        widest: of one stretch: bands, and the share of all frames.
    """
    total, wide = tf.shape(seen)[1], seen.shape[2]
    there = tf.math.is_finite(seen)
    ends = tf.reduce_max(tf.where(there[..., 0], tf.range(1, total + 1)[None], 0), 1)
    hidden = tf.zeros_like(there)
    for _ in range(bands):
        hidden |= _stretch(draws, tf.constant(wide), tf.cast(wide, tf.float32), float(widest[0]))[:, None]
    most = tf.maximum(1.0, tf.floor(widest[1] * tf.cast(total, tf.float32)))
    for _ in range(times):
        hidden |= _stretch(draws, total, tf.cast(ends, tf.float32), most)[..., None]
    return tf.where(hidden & there, 0.0, seen)


def _stretch(draws: Draws, total: Tensor, ends: Tensor, widest: Tensor) -> Tensor:
    """bool (n, total): one stretch for each sample, of random width and place before its end."""
    wide = draws.uniform(0, 1) * widest
    first = draws.uniform(0, 1) * tf.maximum(ends - wide, 0.0)
    places = tf.cast(tf.range(total), tf.float32)[None]
    return (places >= first[:, None]) & (places < (first + wide)[:, None])
