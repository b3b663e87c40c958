"""Does a learner that begins at a cut compute what the whole one computes? Asked of a few rows, before it trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autoft.contracts import Array, Cuttable, Feed, Learner
from autoft.records import Cut, Output, View
from autoft.vocab import ACTIVATION

ROWS = 8
FINE, COARSE = 1e-4, 5e-2
"""By how much values may differ, in units of the largest: sums run in another order, and 16 bits round."""


class Differences(NamedTuple):
    """The largest differences between cache and inputs, in units of the largest value (of 1, if that is larger)."""

    rows: float
    """Of what stands at the cut."""
    values: float
    """Of the raw outputs."""
    fault: str
    """Why that is too much, or empty."""


class Few:
    """A few rows of another feed, spread evenly over it."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.index: Array = np.linspace(0, len(feed) - 1, min(ROWS, len(feed))).astype(np.int64)

    def __len__(self) -> int:
        return len(self.index)

    def batch(self, index: Array) -> dict[str, Array]:
        return self.feed.batch(np.asarray(self.index)[index])


def few(cached: Feed) -> Array:
    """What is kept of the rows that are compared."""
    kept = Few(cached)
    return kept.batch(np.arange(len(kept)))[ACTIVATION]


def differences(
    learner: Learner, cut: Cut, inputs: Feed, cached: Feed, outputs: Sequence[Output], coarse: bool
) -> Differences:
    """Compare the same rows of both feeds. Leaves the learner entered at the cut.

    Raises:
        ValueError: the learner refuses to enter the cut.
    """
    assert isinstance(learner, Cuttable)
    plain, kept = Few(inputs), Few(cached)
    learner.enter(None)
    wanted = learner.predict(plain)
    fresh = [arrays[0] for arrays in learner.extract(plain, (cut,), View())]
    learner.enter(cut)
    found = learner.predict(kept)
    rows = _distance(np.concatenate(fresh), few(cached), least=1e-6)
    values = max(_distance(raw(o.post, wanted[o.name]), raw(o.post, found[o.name])) for o in outputs)
    most = COARSE if coarse else FINE
    fault = ""
    for what, distance in (("what is kept", rows), ("outputs from the cache", values)):
        if not distance <= most and not fault:  # NaN, too
            fault = f"{what} must agree with the network within {most:g}, but differ by {distance:.2g}"
    return Differences(rows, values, fault)


def raw(post: str, values: Array) -> Array:
    """Raw outputs again from what `Output.post` made of them; for softmax up to a constant per row."""
    values = np.asarray(values, np.float64)
    if post == "softmax":
        logs = np.log(np.clip(values, 1e-12, None))
        return np.asarray(logs - logs.mean(-1, keepdims=True))
    if post == "sigmoid":
        values = np.clip(values, 1e-4, 1 - 1e-4)
        return np.asarray(np.log(values) - np.log1p(-values))
    return values


def _distance(one: Array, other: Array, least: float = 1.0) -> float:
    if not one.size:
        return 0.0
    one, other = one.astype(np.float64), other.astype(np.float64)
    return float(np.abs(one - other).max() / max(least, np.abs(one).max()))
