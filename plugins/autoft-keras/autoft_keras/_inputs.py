"""From a feed's numpy batches to what the network takes in, on the device where it computes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from autoft.api import Feed, Job, ahead
from autoft.vocab import ACTIVATION
from autoft_keras._cuts import Point

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
Batch = tuple[Tensor, dict[str, Tensor]]


class Inputs:
    """Loads batches, brings images to the size the network sees and normalises them as its card says."""

    def __init__(self, job: Job, device: str) -> None:
        self.field = job.problem.inputs[0]
        self.keys = tuple(output.target for output in job.problem.outputs)
        self.size = job.image_size
        self.device = device
        self.turned = job.card.extra.get("channels") == "bgr"
        self.mean = np.array(job.card.mean, np.float32) * 255
        self.std = np.array(job.card.std, np.float32) * 255
        self.point: Point | None = None
        """Where feeds give what a frozen prefix gave; None where they give images."""

    def batches(self, feed: Feed, indices: Sequence[Array], *, targets: bool) -> Iterator[Batch]:
        """Images uint8 (n, size, size, 3), or what stands at `point`, and targets for each array of indices.

        A thread feeds a GPU ahead of time.
        """
        loaded = (self._load(feed, index, targets) for index in indices)
        return loaded if self.device == "CPU" else ahead(loaded)

    def normalise(self, images: Tensor) -> Tensor:
        """Images in 0..255 (n, h, w, 3) to float32 in the card's units and order of channels."""
        values = tf.cast(images, tf.float32)
        if self.turned:
            values = tf.reverse(values, [-1])
        return (values - self.mean) / self.std

    def _load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        arrays = feed.batch(index)
        wanted = {key: tf.convert_to_tensor(arrays[key]) for key in self.keys} if targets else {}
        if self.point:
            return tf.convert_to_tensor(arrays[ACTIVATION]), wanted
        return resize(tf.convert_to_tensor(arrays[self.field]), self.size), wanted


def resize(images: Tensor, size: int) -> Tensor:
    """uint8 images (n, h, w, 3) to (n, size, size, 3), bilinear with antialiasing."""
    return images if images.shape[1:3] == (size, size) else _resizer(size)(images)


@functools.cache
def _resizer(size: int) -> Any:
    """Compiled once for all learners."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def resized(images: Tensor) -> Tensor:
        values = tf.image.resize(images, (size, size), "bilinear", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(values), 0, 255), tf.uint8)

    return resized
