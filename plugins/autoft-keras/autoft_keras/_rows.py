"""From a feed's batches to what networks for texts and recordings take in: the module of their library says how.

Such a module has, beside `build`, `reader(job, net, folder)`, which gives a `Reader`. Lengths travel inside the tensor:
words are numbered from 1 and padded with 0, samples behind a recording's end are NaN.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from autoft.api import Feed, Job, Problem, Stop, WordStart, recording_lengths, text_lengths
from autoft.vocab import ACTIVATION
from autoft_keras import _trunks
from autoft_keras._cuts import Point
from autoft_keras._inputs import Batch, Loader
from autoft_keras._net import Net

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any


class Reader:
    """How a network for texts or recordings is fed."""

    frames = 0
    """That a recording as long as the longest of the feed gives, known with its first batch; each batch gives those of
    its own longest."""

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        """Rows of a feed as one array, one sample each. `cropped` leaves out what only pads in this batch."""
        raise NotImplementedError

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        """Augmented, by a seed (int32, 2). Where the trunk has a place for it (`Net.front`), what stands there."""
        raise NotImplementedError

    def begin(self, feed: Feed, problem: Problem, stop: Stop, *, solve: bool) -> WordStart | None:
        """What the trunk can learn from all texts before the first step, where it can."""
        return None

    def keep(self, folder: Path) -> None:
        """Write what the network needs beside its arrays into the folder of a saved model; most need nothing."""


class Rows(Loader):
    """Loads batches for such a network. Has the surface of `Inputs`."""

    def __init__(self, job: Job, device: str, net: Net, folder: Path | None) -> None:
        """`folder` holds a saved model, or the files that a card names; None where there are none."""
        super().__init__(device)
        self.reader: Reader = _trunks.library(job.card).reader(job, net, folder)
        self.keys = tuple(output.target for output in job.problem.outputs)
        self.words = job.card.modality == "text" and not job.card.counts
        self.spoken = job.card.modality == "audio"
        self.point: Point | None = None
        """Set where feeds give the network's features."""

    def normalise(self, values: Tensor) -> Tensor:
        """Networks for texts and recordings do it themselves."""
        return values

    def load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        arrays = feed.batch(index)
        entered = self.point is not None
        values = tf.convert_to_tensor(arrays[ACTIVATION] if entered else self.reader.values(arrays, cropped=targets))
        return values, {key: tf.convert_to_tensor(arrays[key]) for key in self.keys} if targets else {}

    def filled(self, rows: Array) -> Array:
        """Frames behind the longest recording of a batch say nothing: the first class is certain."""
        if rows.ndim != 3 or rows.shape[1] >= self.reader.frames:
            return rows
        whole = np.zeros((len(rows), self.reader.frames, rows.shape[2]), rows.dtype)
        whole[:, : rows.shape[1]] = rows
        whole[:, rows.shape[1] :, 0] = 1
        return whole

    def lengths(self, feed: Feed) -> Array | None:
        """Letters of each text. Recordings would have to be read for it."""
        return text_lengths(feed) if self.words and self.point is None else None

    def heard(self, feed: Feed) -> Array | None:
        """Samples of each recording, which are read for it: an epoch of training is worth that."""
        return recording_lengths(feed) if self.spoken and self.point is None else None

    def fixed(self, values: Tensor, seeds: Array) -> Tensor:
        """Each sample augmented by its own seed (int32, 2), so that batches do not matter."""
        each = [self.reader.changed(values[row : row + 1], tf.constant(seed)) for row, seed in enumerate(seeds)]
        return tf.concat(each, 0)
