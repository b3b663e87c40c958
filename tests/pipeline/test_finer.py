"""Maps that are exported have about the side of the pictures, where the learner can give them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from PIL import Image

from autoft import scoring
from autoft.pipeline import finer
from autoft.records import Output, Problem, Sample, Schema

if TYPE_CHECKING:
    from autoft.contracts import Task

MASK = Output(name="mask", head="dense", size=2, loss="ce_dice", post="argmax", target="mask")
POSED = Problem(name="mask", inputs=("image",), outputs=(MASK,))
SCHEMA = Schema(task="maps", classes=("a", "b"))


class Feed:
    def __len__(self) -> int:
        return 3

    def batch(self, index: Any) -> dict[str, Any]:
        return {"image": np.zeros((len(index), 32, 32, 3), np.uint8)}


class Plain:
    def predict(self, feed: Any) -> dict[str, Any]:
        return self.predict_at(feed, 32)

    def predict_at(self, feed: Any, side: int) -> dict[str, Any]:
        return {"mask": np.zeros((len(feed), side, side), np.uint8)}


class Old:
    """A learner from before maps could be finer."""

    def predict(self, feed: Any) -> dict[str, Any]:
        return {"mask": np.zeros((len(feed), 32, 32), np.uint8)}


class Maps:
    def decode(self, outputs: Any, schema: Schema, problem: Problem) -> Any:
        return outputs


@pytest.mark.parametrize(("learner", "side", "given"), [(Plain(), 0, 32), (Plain(), 100, 100), (Old(), 100, 32)])
def test_maps_have_the_side_that_is_asked_for(learner: Any, side: int, given: int) -> None:
    found = scoring.decoded(cast("Task", Maps()), learner, Feed(), SCHEMA, POSED, side)
    assert found["mask"].shape == (3, given, given)


def test_it_is_that_of_the_largest_picture(tmp_path: Path) -> None:
    def sample(width: int, height: int) -> Sample:
        path = tmp_path / f"{width}.png"
        Image.new("1", (width, height)).save(path)
        return Sample(id=path.name, fields={"image": str(path)})

    (tmp_path / "bad.png").write_text("no picture")
    bad = Sample(id="bad.png", fields={"image": str(tmp_path / "bad.png")})
    assert finer.side([bad, sample(30, 20), sample(50, 70)], "image") == 70
    assert finer.side([sample(30, 20), sample(3000, 200)], "image") == finer.MOST
    assert finer.side([bad], "image") == 0


def test_maps_of_numbers_are_not_enlarged() -> None:
    assert scoring.is_indexed(POSED)
    heat = Output(name="heat", head="dense", size=2, loss="heatmap", post="sigmoid", target="heat")
    assert not scoring.is_indexed(Problem(name="heat", inputs=("image",), outputs=(heat,)))
