"""The frozen beginning of a trunk: names where it can end, picks up what stands there, and goes on from there.

Both halves are models over the layers that the trunk has already: arrays, their names and what is saved stay as they
are. Frozen layers are in evaluation mode in training, too (`_net`), so the first half is a function of the image.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from autoft.api import Cut
from autoft_keras import _cuts
from autoft_keras._cuts import Point
from autoft_keras._net import Net

Tensor = Any
Call = Callable[..., dict[str, Tensor]]


class Prefix:
    """The cuts of one net's trunk."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._halves: dict[object, Any] = {}
        """First halves by the depths of their cuts, second ones by the depth of theirs. Made once each."""

    @functools.cached_property
    def points(self) -> tuple[Point, ...]:
        return _cuts.find(self.net.trunk, self.net.blocks)

    def cuts(self) -> tuple[Cut, ...]:
        return tuple(Cut(depth=point.depth, shape=point.shape) for point in self.points)

    def point(self, cut: Cut) -> Point:
        for point in self.points:
            if (point.depth, point.shape) == (cut.depth, cut.shape):
                return point
        known = ", ".join(f"{point.depth} {point.shape}" for point in self.points)
        raise ValueError(f"a cut must be one of the network's ({known}), but got {cut.depth} {cut.shape}.")

    def pick(self, images: Tensor, points: Sequence[Point]) -> dict[int, Tensor]:
        """Float32 rows at each of the points, by depth, for normalised images. Goes no deeper than it must."""
        depths = tuple(point.depth for point in points)
        if depths not in self._halves:
            wanted = {str(point.depth): point.tensor for point in points}
            self._halves[depths] = keras.Model(self.net.trunk.inputs[0], wanted, name="before")
        found = self._halves[depths](images, training=False)
        return {depth: tf.cast(found[str(depth)], tf.float32) for depth in depths}

    def enter(self, point: Point | None) -> None:
        """Let the net take rows of what stands at the point, or images again."""
        if point and point.depth not in self._halves:
            self._halves[point.depth] = self._after(point)
        self.net.enter(self._halves[point.depth] if point else None)

    def _after(self, point: Point) -> Call:
        """Raw outputs from what stands at the point."""
        features = self.net.trunk.outputs[0]
        if point.tensor is features:
            return self.net.heads
        rest = keras.Model(point.tensor, features, name="after")

        def call(rows: Tensor, training: bool) -> dict[str, Tensor]:
            raw: dict[str, Tensor] = self.net.heads(rest(rows, training=training), training=training)
            return raw

        return call
