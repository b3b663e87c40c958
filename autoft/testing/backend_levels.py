"""Checks of a learner whose heads may stand on all levels of its network: features, heads and models of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import pytest

from autoft.abilities import Leveled
from autoft.contracts import Learner
from autoft.recipe import LEVELS
from autoft.records import View
from autoft.testing import toys
from autoft.testing.backend_base import close, same, train
from autoft.testing.backend_prefix import FEW, CuttableLearner, PrefixLaws, rows_at
from autoft.testing.contract import misfits
from autoft.testing.numpy_losses import apply_post
from autoft.vocab import ACTIVATION

Array = np.ndarray[Any, np.dtype[Any]]
ALONE: dict[str, Any] = {"freeze": 1.0, "pooling": LEVELS}


class LeveledLearner(CuttableLearner, Leveled, Protocol):
    """A learner with both abilities."""


class LevelLaws(PrefixLaws):
    """One pass gives the features of all levels beside the others. Skipped where the learner is not `Leveled`."""

    def leveled(self, **recipe: Any) -> LeveledLearner:
        plain: Any = self.cuttable(freeze=1.0)  # a network without levels may refuse the recipe of heads on them
        if not isinstance(plain, Leveled) or plain.levels() is None:
            pytest.skip("the learner is not Leveled")
        return cast("LeveledLearner", self.cuttable(**{"freeze": 1.0, **recipe}))

    def test_conforms_to_leveled(self) -> None:
        learner = self.leveled()
        assert not misfits(learner, Leveled)
        assert "levels" in getattr(self.backend, "abilities", ()), "the backend's abilities name it"

    def test_levels_stand_behind_all_blocks_and_begin_with_the_last_features(self) -> None:
        learner, feed = self.leveled(), self.feed(count=FEW)
        wide, plain = learner.levels(), learner.cuts()[-1]
        assert wide and wide.depth == len(learner.blocks()) and len(wide.shape) == 1, wide
        assert wide not in learner.cuts() and wide.shape[0] > plain.shape[0]
        assert wide == self.leveled(pooling=LEVELS).levels() == self.leveled(freeze=0.5, seed=3).levels(), (
            "levels belong to the network, not to the trial"
        )
        cuts = [*learner.cuts(), wide]
        together, alone = rows_at(learner, feed, cuts), rows_at(learner, feed, [wide])[0]
        close_by: dict[str, Any] = {"rtol": 10 * self.tolerance, "atol": 10 * self.tolerance}
        assert np.allclose(together[-1], alone, **close_by), "levels do not hang on the other cuts of the pass"
        assert np.allclose(alone[:, : plain.shape[0]], together[-2], **close_by), "the last features come first"
        later = self.leveled(pooling=LEVELS)
        assert np.allclose(rows_at(later, feed, [wide])[0], alone, **close_by), "whatever the recipe says"
        assert list(later.cuts()) == list(learner.cuts())

    def test_heads_on_levels_see_what_extract_gives(self, tmp_path: Path) -> None:
        learner, feed = self.leveled(**ALONE), self.feed(count=FEW)
        wide = learner.levels()
        assert wide
        rows, output = rows_at(learner, feed, [wide])[0], self.problem().outputs[0]
        draws = np.random.default_rng(0)
        weights = (draws.normal(size=(output.size, wide.shape[0])) / 30).astype(np.float32)
        bias = draws.normal(size=output.size).astype(np.float32)
        learner.set_head({output.name: (weights, bias)})
        wanted = apply_post(output.post, rows @ weights.T + bias)
        close_by: dict[str, Any] = {"rtol": 1e-3, "atol": 100 * self.tolerance}
        assert np.allclose(learner.predict(feed)[output.name], wanted, **close_by), "of images"
        learner.save(tmp_path)
        learner.enter(wide)
        found = learner.predict(toys.ArrayFeed({ACTIVATION: rows}))
        assert np.allclose(found[output.name], wanted, **close_by), "of what is kept"
        loaded = self.backend().load(self.job(**ALONE), tmp_path)
        assert np.allclose(loaded.predict(feed)[output.name], wanted, **close_by), "of the model that was saved"

    def test_training_from_levels_is_training_from_the_inputs(self) -> None:
        plain, kept, feed = self.leveled(**ALONE), self.leveled(**ALONE), self.feed()
        wide, before = kept.levels(), kept.arrays()
        assert wide
        targets = {key: values for key, values in feed.arrays.items() if key != "image"}
        rows = toys.ArrayFeed({ACTIVATION: rows_at(kept, feed, [wide])[0], **targets})
        kept.enter(wide)
        losses = train(plain, feed, epochs=2), train(kept, rows, epochs=2)
        assert np.allclose(*losses, rtol=100 * self.tolerance), losses
        assert close(plain.predict(feed), kept.predict(rows), 100 * self.tolerance)
        assert all(same(before[block], kept.arrays()[block]) for block in kept.blocks()), "a frozen block moved"

    def test_a_cut_before_the_last_level_is_refused(self) -> None:
        learner, plain = self.leveled(**ALONE), self.leveled()
        refused: list[tuple[Learner, Any]] = [(learner, cut) for cut in learner.cuts()]
        for one, cut in [*refused, (plain, plain.levels())]:
            with pytest.raises(ValueError, match=r"\w \w"):
                cast("LeveledLearner", one).enter(cut)
        learner.enter(learner.levels())
        learner.enter(None)

    def test_views_of_levels_repeat(self) -> None:
        learner, feed = self.leveled(augment="light"), self.feed(count=FEW)
        wide = learner.levels()
        assert wide
        one, again = (rows_at(learner, feed, [wide], View(augment="light", number=1, seed=5))[0] for _ in range(2))
        assert np.allclose(one, again, rtol=self.tolerance, atol=self.tolerance)
