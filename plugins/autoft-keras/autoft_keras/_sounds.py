"""Augmentation of recordings that are seen as pictures, as far as `autoft.policies` says."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from autoft.api import COVERS, Cover
from autoft_keras._augment import Draws, Given, Policy, compiled

Tensor = Any


@functools.cache
def policy(word: str, size: int) -> Policy:
    """See `_augment.policy`."""
    return compiled(_chosen(word), size, Draws)


@functools.cache
def fixed(word: str, size: int) -> Policy:
    """See `_augment.fixed`."""
    return compiled(_chosen(word), size, Given)


def _chosen(word: str) -> Any:
    return None if word == "none" else functools.partial(_changed, how=COVERS[word])


def _changed(pictures: Tensor, draws: Draws, how: Cover) -> Tensor:
    height, width = pictures.shape[1:3]
    rows = tf.range(height)[None] + _shift(draws, how.up * height)
    columns = tf.range(width)[None] + _shift(draws, how.across * width)
    inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
    for _ in range(how.covers):
        inside &= ~_stretch(draws, height, how.widest)[:, :, None]
        inside &= ~_stretch(draws, width, how.widest)[:, None, :]
    grey = tf.cast(pictures[..., 0], tf.float32)
    grey = tf.gather(grey, tf.clip_by_value(rows, 0, height - 1), axis=1, batch_dims=1)
    grey = tf.gather(grey, tf.clip_by_value(columns, 0, width - 1), axis=2, batch_dims=1)
    grey = grey * tf.cast(inside, tf.float32)
    if how.noise:
        grey = tf.clip_by_value(grey + 255 * how.noise * (draws.each(grey) - 0.5), 0.0, 255.0)
    return tf.repeat(grey[..., None], 3, axis=-1)


def _shift(draws: Draws, most: float) -> Tensor:
    return tf.cast(tf.round(draws.uniform(-most, most)), tf.int32)[:, None]


def _within(places: Tensor, most: int) -> Tensor:
    return (places >= 0) & (places < most)


def _stretch(draws: Draws, total: int, widest: float) -> Tensor:
    """bool (n, total): one stretch of random width at a random place."""
    wide = draws.uniform(0, widest * total)
    first = draws.uniform(0, 1) * (total - wide)
    places = tf.cast(tf.range(total), tf.float32)[None]
    return (places >= first[:, None]) & (places < (first + wide)[:, None])
