"""Augmentation moves image, mask and boxes alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from autoft.testing import PlacesContract
from autoft_keras._places import hide, mover

Array = np.ndarray[Any, np.dtype[Any]]


class TestPlaces(PlacesContract):
    def move(self, word: str, images: Array, targets: dict[str, Array], seed: int) -> tuple[Array, dict[str, Array]]:
        given = {key: tf.constant(values) for key, values in targets.items()}
        moved, found = mover(word, images.shape[1])(tf.constant(images), given, tf.constant([seed, 0]))
        return np.asarray(moved), {key: np.asarray(values) for key, values in found.items()}

    def hide(self, images: Array, boxes: Array) -> Array:
        return np.asarray(hide(tf.constant(images), {"boxes": tf.constant(boxes)}))
