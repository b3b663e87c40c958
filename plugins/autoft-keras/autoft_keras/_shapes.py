"""For what shapes functions are traced, so that they are traced once."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any


def any_rows(tensor: Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]) if tensor.shape.rank else (), tensor.dtype)


def any_length(tensor: Tensor) -> tf.TensorSpec:
    """Of texts and recordings, which differ in length from batch to batch."""
    return tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)
