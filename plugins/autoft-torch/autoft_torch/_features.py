"""What the whole trunk of a network for texts or recordings gives: the one place where it is cut.

Before it stand tokens or frames, as many as a sample has: no array of one size is all that later blocks need.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.utils import _pytree as pytree

from autoft.api import Cut, ModelCard
from autoft_torch._cuts import SAMPLES, Form, Output, Point
from autoft_torch._net import Net
from autoft_torch._precision import Precision


class Features:
    """Has the surface of `Prefix`."""

    def __init__(self, net: Net, card: ModelCard, precision: Precision) -> None:
        self.net, self.precision, self.counts = net, precision, card.counts
        given = Output((Form((SAMPLES, net.width), torch.float32),), pytree.tree_structure(0))
        self.only = Point(len(net.blocks), "", given, False, {}, Form((SAMPLES,), torch.float32))

    def cuts(self) -> tuple[Cut, ...]:
        if self.counts:
            return ()
        return (Cut(depth=self.only.depth, shape=self.only.shape),)

    def levels(self) -> None:
        """Nothing: no maps stand before the features."""

    def point(self, cut: Cut) -> Point:
        if (cut.depth, cut.shape) != (self.only.depth, self.only.shape):
            raise ValueError(
                f"a cut must be the network's ({self.only.depth} {self.only.shape}), but got {cut.depth} {cut.shape}."
            )
        return self.only

    def rest(self) -> None:
        """Nothing: what stands before the cut is frozen as a whole, and in evaluation mode already."""

    def pick(self, values: torch.Tensor, points: Sequence[Point]) -> dict[tuple[int, tuple[int, ...]], torch.Tensor]:
        """Pooled features by place, as rows."""
        with self.precision.cast():
            found = self.net.features(values)
        return {point.place: point.rows(found) for point in points}

    def enter(self, point: Point | None) -> None:
        self.net.entered = point is not None
