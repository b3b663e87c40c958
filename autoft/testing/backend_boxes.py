"""Checks of how boxes are moved: what is cut off is not taught any more, and is no background either. What a learner of
them shows once more behind an epoch is told."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.abilities import Settling
from autoft.batches import shown_again
from autoft.contracts import Array, Arrays, Stop
from autoft.records import Job, Output, Problem
from autoft.testing import toys
from autoft.testing.backend_base import BackendBase, never, train
from autoft.testing.backend_training import Watched
from autoft.until import Until
from autoft.vocab import UNTAUGHT

SIDE = 64
CLASS = 2
CORNER = (0.0, 0.0, 0.3, 0.3, CLASS)
"""A box that a zoom or a shift cuts off now and then."""
given: list[Array] = []
"""The boxes of each batch, as they were encoded."""


def encode(targets: Arrays, height: int, width: int, problem: Problem) -> dict[str, Array]:
    """An `Encoder` that remembers what it is given; there is nothing to learn."""
    given.append(np.array(targets["boxes"]))
    return {"places": np.zeros((len(targets["boxes"]), height, width, 1), np.float32)}


class Posed(BackendBase):
    """Backends without dense heads are skipped."""

    def posed_boxes(self) -> Problem:
        output = Output(name="places", head="dense", size=1, loss="heatmap", post="sigmoid", target="places")
        wanted = Problem(name="places", inputs=("image",), outputs=(output,), encoder=f"{__name__}:encode")
        if reason := self.unsupported(wanted):
            pytest.skip(reason)
        return wanted

    def posed_job(self, **recipe: Any) -> Job:
        return msgspec.structs.replace(self.job(self.posed_boxes(), **recipe), image_size=SIDE)


class BoxLaws(Posed):
    def moved_boxes(self, augment: str, *rows: tuple[float, ...]) -> Array:
        """What an encoder gets of these boxes in 48 pictures: (48, rows, columns)."""
        boxes = np.repeat(np.array([rows], np.float32), 48, axis=0)
        images = np.random.default_rng(0).integers(0, 255, (48, SIDE, SIDE, 3), np.uint8)
        learner = self.backend().build(self.posed_job(augment=augment))
        given.clear()
        train(learner, toys.ArrayFeed({"image": images, "boxes": boxes}))
        return np.concatenate(given)

    def test_unmoved_boxes_are_given_as_they_are(self) -> None:
        rows = (CORNER, (0.5, 0.5, 0.9, 0.9, UNTAUGHT - CLASS), (-1,) * 5)
        found = self.moved_boxes("none", *rows)
        assert np.allclose(found, np.array(rows), atol=1e-6)

    def test_boxes_that_are_cut_off_are_not_taught_any_more(self) -> None:
        found = self.moved_boxes("strong", CORNER, (0.4, 0.4, 0.6, 0.6, UNTAUGHT), (-1,) * 5)
        corner, crowd, empty = found[:, 0], found[:, 1], found[:, 2]
        assert (empty == -1).all(), "rows that hold no box stay so"
        assert set(crowd[:, 4]) <= {UNTAUGHT, -1}, "what was not to be taught stays so"
        assert set(corner[:, 4]) <= {CLASS, UNTAUGHT - CLASS, -1}
        cut = corner[corner[:, 4] == UNTAUGHT - CLASS]
        assert len(cut), "a box of which little is left must not become background: its code is UNTAUGHT - class"
        real = found[found[..., 4] != -1]
        assert (real[:, :2] < real[:, 2:4]).all() and real[:, :4].min() >= 0 and real[:, :4].max() <= 1
        assert ((cut[:, :2] == 0).any(1) | (cut[:, 2:4] == 1).any(1)).all(), "it lies at the edge"

    def settled(self, stop: Stop) -> tuple[Any, list[int]]:
        """A learner, and the rows that it asked for in an epoch, of 40 pictures in batches of 4."""
        boxes = np.repeat(np.array([[CORNER]], np.float32), 40, axis=0)
        images = np.random.default_rng(0).integers(0, 255, (40, SIDE, SIDE, 3), np.uint8)
        watched = Watched(toys.ArrayFeed({"image": images, "boxes": boxes}))
        job: Any = msgspec.structs.replace(self.job(self.posed_boxes(), count=40, batch_size=4), image_size=SIDE)
        learner = self.backend().build(job)
        told = isinstance(learner, Settling) and learner.settles()
        learner.train_epoch(watched, 1, stop)
        assert told == (isinstance(learner, Settling) and learner.settles()), "it says the same before and behind"
        return told, watched.rows

    def test_what_is_shown_once_more_is_told(self) -> None:
        """Its time is planned for."""
        told, rows = self.settled(never)
        trained = [np.array(rows[first : first + 4]) for first in range(0, 40, 4)]
        again = [int(row) for batch in shown_again(trained, whole=True) for row in batch] if told else []
        assert rows[40:] == again, "these are the rows that `shown_again` names, or none"

    def test_nothing_is_shown_once_more_where_time_is_over(self) -> None:
        _, rows = self.settled(Until(never, lambda: 0.0, lambda: True))
        assert len(rows) == 40
