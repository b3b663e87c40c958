"""Maps that are exported have about the side of the pictures, where the learner can give them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from PIL import Image

from autoft import scoring
from autoft.pipeline import mapsides, plan
from autoft.pipeline.predict import Prediction
from autoft.records import Decoding, Output, Problem, Sample, Schema

if TYPE_CHECKING:
    from autoft.contracts import Learner, Task

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
    assert mapsides.side([bad, sample(30, 20), sample(50, 70)], "image") == 70
    assert mapsides.side([sample(30, 20), sample(3000, 200)], "image") == mapsides.MOST
    assert mapsides.side([bad], "image") == 0


class Of:
    """A learner that predicts so many at a time."""

    def __init__(self, batch: int) -> None:
        self.batch, self.asked = batch, list[int]()

    def at_a_time(self) -> int:
        return self.batch

    def predict(self, feed: Any) -> dict[str, Any]:
        self.asked.append(len(feed))
        return {"mask": np.zeros((len(feed), 8, 8), np.uint8)}


@pytest.mark.parametrize(("batch", "together"), [(64, 64), (26, 26), (8, 16), (5, 15), (512, 64)])
def test_pictures_are_computed_in_batches_of_the_learner(batch: int, together: int) -> None:
    """On a GPU a part of a batch is filled up, and takes as long as a whole one."""
    assert mapsides.pictures(cast("Learner", Of(batch))) == together
    assert mapsides.pictures(cast("Learner", Old())) == mapsides.PICTURES


def test_masks_are_exported_in_such_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Exports:
        def refuse_export(self) -> Any:
            return self

        def export_parts(self, parts: Any, names: Any, schema: Schema, folder: Path) -> list[str]:
            return []

    asked, exports = object.__new__(Prediction), cast("Any", Exports())
    exports.learner, exports.config = Of(64), SimpleNamespace(problem=POSED, schema=SCHEMA)
    asked.predictor, asked.samples = exports, []
    sizes: list[int] = []
    monkeypatch.setattr(asked, "_pieces", lambda size, rows: sizes.append(size))
    asked.export(tmp_path)
    assert sizes == [64]


@pytest.mark.parametrize(("batch", "parts"), [(26, [52, 48]), (64, [64, 36]), (512, [64, 36]), (8, [64, 36])])
def test_parts_of_a_set_are_whole_batches_too(batch: int, parts: list[int]) -> None:
    class Hundred(Feed):
        def __len__(self) -> int:
            return 100

    learner = Of(batch)
    scoring.decoded(cast("Task", Maps()), cast("Learner", learner), Hundred(), SCHEMA, POSED)
    assert learner.asked == parts


def test_maps_of_numbers_are_not_enlarged() -> None:
    assert scoring.is_indexed(POSED)
    heat = Output(name="heat", head="dense", size=2, loss="heatmap", post="sigmoid", target="heat")
    assert not scoring.is_indexed(Problem(name="heat", inputs=("image",), outputs=(heat,)))


def test_masks_are_scored_at_the_side_of_the_store() -> None:
    def made(problem: Problem) -> Any:
        return SimpleNamespace(candidates={"net": SimpleNamespace(problem=problem)}, decoding=Decoding(size=160))

    label = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
    assert plan.scored_at(made(POSED)) == 160
    assert plan.scored_at(made(Problem(name="label", inputs=("image",), outputs=(label,)))) == 0
