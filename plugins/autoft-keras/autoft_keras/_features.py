"""What the whole encoder of texts gives, pooled: the one place where it is cut.

Before it stand as many vectors as a text has tokens: no array of one size is all that later blocks need.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from autoft.api import Cut, ModelCard
from autoft_keras._cuts import Point
from autoft_keras._net import MIDWAY, Net
from autoft_keras._prefix import Prefix

Tensor = Any


class Features(Prefix):
    """A prefix that is the whole network but for its heads."""

    def __init__(self, net: Net, card: ModelCard) -> None:
        super().__init__(net)
        self.counts = card.counts

    @functools.cached_property
    def points(self) -> tuple[Point, ...]:
        """None where heads read frame by frame, or where the trunk changes its input within (`MIDWAY`)."""
        within = MIDWAY in [layer.name for layer in self.net.trunk.layers]
        known = self.net.pooled is not None and not within and not self.counts
        return (Point(len(self.net.blocks), self.net.pooled),) if known else ()

    def levels(self) -> None:
        """Nothing: no maps stand before the features."""

    def point(self, cut: Cut) -> Point:
        for point in self.points:
            if (point.depth, point.shape) == (cut.depth, cut.shape):
                return point
        raise ValueError(f"a cut must be the network's, but got {cut.depth} {cut.shape}.")

    def pick(self, values: Tensor, points: Sequence[Point]) -> dict[str, Tensor]:
        """Pooled features by place, float32 rows."""
        found = tf.cast(self._before(values, training=False), tf.float32)
        return {point.place: found for point in points}

    def enter(self, point: Point | None) -> None:
        self.net.enter(self._heads if point else None)

    @functools.cached_property
    def _before(self) -> keras.Model:
        return keras.Model(self.net.model.inputs[0], self.net.pooled, name="before")

    @functools.cached_property
    def _heads(self) -> keras.Model:
        return keras.Model(self.net.pooled, self.net.model.output, name="after")
