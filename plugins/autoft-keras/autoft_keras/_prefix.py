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
from autoft_keras import _cuts, _pyramid
from autoft_keras._cuts import Point
from autoft_keras._net import Net

Tensor = Any
Call = Callable[..., dict[str, Tensor]]


class Prefix:
    """The cuts of one net's trunk."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._halves: dict[object, Any] = {}
        """First halves by the places of their cuts, second ones by the place of theirs. Made once each."""

    @functools.cached_property
    def points(self) -> tuple[Point, ...]:
        return _cuts.find(_pyramid.plain(self.net.trunk), self.net.blocks)

    @functools.cached_property
    def wide(self) -> Point:
        """Where the features of all levels stand."""
        return Point(len(self.net.blocks), _pyramid.wide(self.net.trunk))

    def levels(self) -> Cut | None:
        return Cut(depth=self.wide.depth, shape=self.wide.shape)

    def cuts(self) -> tuple[Cut, ...]:
        return tuple(Cut(depth=point.depth, shape=point.shape) for point in self.points)

    def point(self, cut: Cut) -> Point:
        for point in (*self.points, self.wide):
            if (point.depth, point.shape) == (cut.depth, cut.shape):
                return point
        known = ", ".join(f"{point.depth} {point.shape}" for point in self.points)
        raise ValueError(f"a cut must be one of the network's ({known}), but got {cut.depth} {cut.shape}.")

    def pick(self, images: Tensor, points: Sequence[Point]) -> dict[str, Tensor]:
        """Float32 rows at each of the points, by place, for normalised images. Goes no deeper than it must."""
        places = tuple(point.place for point in points)
        if places not in self._halves:
            wanted = {point.place: point.tensor for point in points}
            self._halves[places] = keras.Model(self.net.trunk.inputs[0], wanted, name="before")
        found = self._halves[places](images, training=False)
        return {place: tf.cast(found[place], tf.float32) for place in places}

    def enter(self, point: Point | None) -> None:
        """Let the net take rows of what stands at the point, or images again."""
        features = self.net.trunk.outputs[0]
        levels = self.wide.place != self.points[-1].place  # else the network shows nothing but its last features
        if point and levels and (point.place == self.wide.place) != (features is self.wide.tensor):
            raise ValueError(
                f"a head of {features.shape[-1]} features must not stand on a cut of the shape {point.shape}: heads on "
                "all levels stand on these alone, and only they do."
            )
        if point and point.place not in self._halves:
            self._halves[point.place] = self._after(point)
        self.net.enter(self._halves[point.place] if point else None)

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
