"""Checks of dense heads: maps of the right size, masks that are learned and kept, places without a class left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.abilities import Batched, Enlarging
from autoft.contracts import Array
from autoft.records import Output, Problem
from autoft.testing import reference, scenes, toys
from autoft.testing.backend_base import BackendBase, close, never, train

CLASSES = 4
"""Background and three shapes."""
SIDE = 64


class DenseLaws(BackendBase):
    """A network that says it has dense features keeps these; others are skipped."""

    def posed_dense(self, loss: str = "ce_dice", post: str = "argmax", size: int = CLASSES) -> Problem:
        output = Output(name="mask", head="dense", size=size, loss=loss, post=post, target="mask")
        wanted = Problem(name="dense", inputs=("image",), outputs=(output,))
        if reason := self.unsupported(wanted):
            pytest.skip(reason)
        return wanted

    def masked(self, count: int = 16, side: int = SIDE) -> toys.ArrayFeed:
        """Scenes with masks, as the store holds them: as large as networks see them, or larger."""
        made = scenes.scenes(count, side, side)
        pictures, masks = np.stack([scene.picture for scene in made]), np.stack([scene.mask for scene in made])
        return toys.ArrayFeed({"image": pictures, "mask": masks})

    def dense_learner(self, wanted: Problem, **recipe: Any) -> Any:
        return self.backend().build(self.dense_job(wanted, **recipe))

    def dense_job(self, wanted: Problem, **recipe: Any) -> Any:
        return msgspec.structs.replace(self.job(wanted, **recipe), image_size=SIDE)

    def test_dense_masks_are_learned(self) -> None:
        wanted, feed = self.posed_dense(), self.masked()
        learner = self.dense_learner(wanted, epochs=40)
        right, found, thing = 0.0, feed.arrays["mask"], feed.arrays["mask"] > 0
        for epoch in range(1, 41):
            learner.train_epoch(feed, epoch, never)
            found = learner.predict(feed)["mask"]
            right = float((found[thing] == feed.arrays["mask"][thing]).mean())
            if right > 0.9:
                break
        assert right > 0.9, f"after 40 epochs only {right:.0%} of the pixels of things are right"
        background = float((found[~thing] == 0).mean())
        assert background > 0.8, f"only {background:.0%} of the background is right"

    @pytest.mark.parametrize("count", [0, 1, 3])
    @pytest.mark.parametrize("side", [SIDE, 2 * SIDE])
    def test_dense_indices_have_the_side_of_the_feeds_images(self, count: int, side: int) -> None:
        wanted = self.posed_dense()
        found = self.dense_learner(wanted).predict(self.masked(count, side) if count else _empty(side))["mask"]
        assert found.shape == (count, side, side) and found.dtype == np.uint8
        assert not count or found.max() < CLASSES

    def test_dense_indices_are_those_of_enlarged_maps(self, tmp_path: Path) -> None:
        """Edges are found between the places of the maps: indices that were stretched would be steps."""
        wanted, chances = self.posed_dense(), self.posed_dense(post="softmax")
        feed, job = self.masked(8, 2 * SIDE), self.dense_job(wanted)
        learner = self.backend().build(job)
        train(learner, feed, epochs=2)
        learner.save(tmp_path)
        same = self.backend().load(msgspec.structs.replace(job, problem=chances), tmp_path)
        maps = np.log(np.maximum(same.predict(feed)["mask"].astype(np.float64), 1e-30))
        sides = {2 * SIDE: learner.predict(feed)["mask"]}
        if isinstance(learner, Enlarging):
            sides |= {side: learner.predict_at(feed, side)["mask"] for side in (SIDE, 5 * SIDE // 2)}
        for side, found in sides.items():
            assert found.shape[1:] == (side, side)
            right = reference.post("argmax", reference.enlarge(maps, side))
            assert (found == right).mean() > 0.999, f"at {side} pixels {(found != right).mean():.1%} differ"

    def test_as_many_are_predicted_at_a_time_as_it_says(self) -> None:
        learner = self.dense_learner(self.posed_dense())
        whole = learner.at_a_time() if isinstance(learner, Batched) else pytest.skip("the learner is not Batched")
        assert whole >= 1
        arrays = self.masked(1).arrays
        watched = _Sizes({key: np.repeat(values, whole + 1, 0) for key, values in arrays.items()})
        learner.predict(watched)
        assert max(watched.sizes) == whole, f"it says {whole} at a time, but takes {watched.sizes}"

    def test_dense_maps_have_a_quarter_of_the_side(self) -> None:
        wanted = self.posed_dense(post="softmax")
        found = self.dense_learner(wanted).predict(self.masked(2))["mask"]
        assert found.shape == (2, SIDE // 4, SIDE // 4, CLASSES) and found.dtype == np.float32
        assert np.allclose(found.sum(-1), 1, atol=1e-3)

    def test_dense_models_are_kept(self, tmp_path: Path) -> None:
        wanted, feed = self.posed_dense(post="softmax"), self.masked(8)
        job = self.dense_job(wanted)
        learner = self.backend().build(job)
        train(learner, feed, epochs=2)
        learner.save(tmp_path)
        again = self.backend().load(job, tmp_path).predict(feed)
        assert close(again, learner.predict(feed), 10 * self.tolerance)

    def test_pixels_without_a_class_teach_nothing(self) -> None:
        wanted, feed = self.posed_dense(), self.masked(8)
        void = toys.ArrayFeed({**feed.arrays, "mask": np.full_like(feed.arrays["mask"], 255)})
        half = toys.ArrayFeed({**feed.arrays, "mask": feed.arrays["mask"].copy()})
        half.arrays["mask"][:, : SIDE // 2] = 255
        loss = train(self.dense_learner(wanted), half)[0]
        assert np.isfinite(loss) and loss > 0
        plain = self.posed_dense("cross_entropy")
        assert train(self.dense_learner(plain), void) == [0.0], "nothing is known, so nothing is wrong"

    @pytest.mark.parametrize("augment", ["light", "trivial", "strong"])
    def test_dense_heads_train_on_moved_masks(self, augment: str) -> None:
        wanted, feed = self.posed_dense(), self.masked()
        losses = train(self.dense_learner(wanted, augment=augment), feed, epochs=5)
        assert losses[-1] < losses[0], losses

    def test_dense_networks_freeze_their_trunk_alone(self) -> None:
        learner = self.dense_learner(self.posed_dense(), freeze=1.0)
        before = learner.arrays()
        train(learner, self.masked(8))
        after = learner.arrays()
        moved = [b for b in before if any(not np.array_equal(before[b][k], after[b][k]) for k in before[b])]
        assert moved == ["head"]


class _Sizes(toys.ArrayFeed):
    """A feed that remembers how many rows were asked for at a time."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        super().__init__(arrays)
        self.sizes: list[int] = []

    def batch(self, index: Array) -> dict[str, Array]:
        self.sizes.append(len(index))
        return super().batch(index)


def _empty(side: int) -> toys.ArrayFeed:
    none: Array = np.zeros((0, side, side, 3), np.uint8)
    return toys.ArrayFeed({"image": none, "mask": none[..., 0]})
