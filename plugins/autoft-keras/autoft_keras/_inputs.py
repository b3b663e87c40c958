"""From a feed's numpy batches to what the network takes in, on the device where it computes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from autoft.api import Feed, Job, ahead, target_at
from autoft.vocab import ACTIVATION
from autoft_keras._cuts import Point

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
Batch = tuple[Tensor, dict[str, Tensor]]


class Loader:
    """Brings batches of a feed to the device."""

    def __init__(self, device: str) -> None:
        self.device = device

    def batches(self, feed: Feed, indices: Iterable[Array], *, targets: bool) -> Iterator[Batch]:
        """What the network takes in, and targets, for each array of indices. A thread feeds a GPU ahead of time."""
        loaded = (self.load(feed, index, targets) for index in indices)
        return loaded if self.device == "CPU" else ahead(loaded)

    def load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        """One batch; without targets there are none in it."""
        raise NotImplementedError

    def lengths(self, feed: Feed) -> Array | None:
        """About how long each sample is, where batches of like lengths take less time."""
        return None

    def heard(self, feed: Feed) -> Array | None:
        """Lengths by which batches of training are made; None where samples have none."""
        return None

    def side(self, feed: Feed) -> int:
        """Of the images that the feed gives; 0 where it gives none."""
        return 0

    def filled(self, rows: Array) -> Array:
        """Predictions of a batch in the shape that all batches of the feed have."""
        return rows


class Inputs(Loader):
    """Loads batches, brings images to the size the network sees and normalises them as its card says."""

    def __init__(self, job: Job, device: str) -> None:
        super().__init__(device)
        self.field = job.card.modality
        self.keys = None if job.problem.encoder else tuple(output.target for output in job.problem.outputs)
        """Targets that are loaded; None where an encoder takes all that there are."""
        self.size = job.image_size
        self.turned = job.card.extra.get("channels") == "bgr"
        self.mean = np.array(job.card.mean, np.float32) * 255
        self.std = np.array(job.card.std, np.float32) * 255
        self.point: Point | None = None
        """Where feeds give what a frozen prefix gave; None where they give images."""

    def normalise(self, images: Tensor) -> Tensor:
        """Images in 0..255 (n, h, w, 3) to float32 in the card's units and order of channels."""
        values = tf.cast(images, tf.float32)
        if self.turned:
            values = tf.reverse(values, [-1])
        return (values - self.mean) / self.std

    def side(self, feed: Feed) -> int:
        none = feed.batch(np.zeros(0, np.int64))
        return int(none[self.field].shape[1]) if self.field in none else 0

    def load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        """Images uint8 (n, size, size, 3), or what stands at `point`, and targets."""
        arrays = feed.batch(index)
        keys = self.keys or tuple(key for key in arrays if key not in (self.field, ACTIVATION))
        wanted = {key: tf.convert_to_tensor(target_at(key, arrays[key], self.size)) for key in keys} if targets else {}
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
