"""A stand-in for a learner that can be cut: what it gives for a row is known, and every row is counted."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from autoft.activations import Ask, Origin, fill
from autoft.records import Cut, View

CUTS = (Cut(depth=1, shape=(4, 3)), Cut(depth=2, shape=(5,)))
ROWS = 2000
ORIGIN = Origin(
    backend="none",
    versions={},
    model="none/net",
    weights="w",
    image_size=8,
    mean=(0.5,),
    std=(0.5,),
    extra={},
    precision="fp32",
    gpu=False,
    data="d",
)


class RowFeed:
    """Gives the rows themselves."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def batch(self, index):
        return {"image": self.rows[index]}


def values(rows, cut, view=None):
    """What the network gives at a cut."""
    wanted = rows.reshape(-1, *[1] * len(cut.shape)) * 10.0 + np.arange(np.prod(cut.shape)).reshape(cut.shape)
    return (wanted + 1e6 * (view.number if view else 0) * cut.depth).astype(np.float32)


class Extractor:
    """`fails_at`: raises `error` when that many rows are done. `places` notes (view seed, place, row)."""

    def __init__(self, batch=100, seconds=0.0, fails_at=None, error=None, wrong=None):
        self.batch, self.seconds, self.fails_at, self.error, self.wrong = batch, seconds, fails_at, error, wrong
        self.rows: list[int] = []
        self.places: list[tuple[int, int, int]] = []

    def extract(self, feed, cuts, view):
        for first in range(0, len(feed), self.batch):
            if self.fails_at is not None and len(self.rows) >= self.fails_at:
                raise self.error
            rows = feed.batch(np.arange(first, min(len(feed), first + self.batch)))["image"]
            self.rows += rows.tolist()
            self.places += [(view.seed, first + place, row) for place, row in enumerate(rows.tolist())]
            time.sleep(self.seconds)
            yield [self.wrong(values(rows, cut, view)) if self.wrong else values(rows, cut, view) for cut in cuts]


def filled(root, learner, rows, cuts=CUTS, view=None, most=10**9, stop=lambda: False, total=ROWS, origin=ORIGIN):
    ask = Ask(view or View(), np.asarray(rows, np.int64), tuple(cuts))
    return fill(Path(root), origin, ask, learner, RowFeed, total, most, stop)


def main() -> None:
    """Fill all rows beside other processes; prints how many were computed here, and whether all are right."""
    learner = Extractor(batch=64, seconds=float(sys.argv[4]))
    Path(sys.argv[1], f"ready-{sys.argv[2]}").touch()
    while len(list(Path(sys.argv[1]).glob("ready-*"))) < int(sys.argv[3]):
        time.sleep(0.01)
    found = filled(Path(sys.argv[1], "store"), learner, np.arange(ROWS))
    right = np.array_equal(found.store.rows, values(np.arange(ROWS), CUTS[0]))
    print(len(learner.rows), found.complete and right)
