"""Checks of a learner that can be cut: going on from what its frozen blocks gave is the same as computing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import pytest

from autoft.contracts import Cuttable, Learner
from autoft.records import Cut, View
from autoft.testing import toys
from autoft.testing.backend_base import BackendBase, close, same, train
from autoft.testing.contract import misfits
from autoft.testing.numpy_losses import apply_post
from autoft.vocab import ACTIVATION

Array = np.ndarray[Any, np.dtype[Any]]
PLAIN = View()
FEW = 12
"""Toy samples of the checks that do not train."""


class CuttableLearner(Learner, Cuttable, Protocol):
    """A learner with the ability."""


class PrefixLaws(BackendBase):
    """The frozen prefix can be computed once and shared. Skipped where the learner is not `Cuttable`."""

    def cuttable(self, **recipe: Any) -> CuttableLearner:
        learner: Any = self.build(**recipe)
        if not isinstance(learner, Cuttable):
            pytest.skip("the learner is not Cuttable")
        if not learner.cuts() and any(output.head != "pooled" for output in self.problem().outputs):
            pytest.skip("heads that are not pooled need more than what stands at a cut")
        return cast("CuttableLearner", learner)

    def allowed(self, learner: CuttableLearner, freeze: float) -> Cut:
        """The deepest cut within the frozen blocks."""
        frozen = round(freeze * len(learner.blocks()))
        cuts = [cut for cut in learner.cuts() if cut.depth <= frozen]
        if not cuts:
            pytest.skip(f"the network cannot be cut within its first {frozen} blocks")
        return cuts[-1]

    def test_conforms_to_cuttable(self) -> None:
        assert not misfits(self.cuttable(), Cuttable)

    def test_cuts_are_ordered_and_within_the_blocks(self) -> None:
        learner = self.cuttable()
        cuts, blocks = list(learner.cuts()), len(learner.blocks())
        depths = [cut.depth for cut in cuts]
        assert depths == sorted({*depths}), f"one cut at each depth, by depth, not {depths}"
        assert depths and depths[0] >= 1 and depths[-1] == blocks, f"cuts stand behind 1 to {blocks} blocks: {depths}"
        assert len(cuts[-1].shape) == 1, f"before the head stand pooled features, not {cuts[-1].shape}"
        assert cuts == list(self.cuttable(seed=7, freeze=0.5).cuts()), "cuts belong to the network, not to the trial"

    @pytest.mark.parametrize("count", [0, 1, FEW])
    def test_extract_gives_what_its_cuts_say(self, count: int) -> None:
        learner, feed = self.cuttable(), self.feed(count=count)
        before, pictures = learner.arrays(), feed.arrays["image"].copy()
        cuts = list(learner.cuts())
        found = rows_at(learner, feed, cuts)
        for cut, rows in zip(cuts, found, strict=True):
            assert rows.shape == (count, *cut.shape) and rows.dtype == np.dtype(cut.dtype), (cut, rows.shape)
            assert np.isfinite(rows).all()
        alone = rows_at(learner, feed, cuts[-1:])
        assert close({"": found[-1]}, {"": alone[0]}, self.tolerance), "a cut's rows do not hang on the other cuts"
        assert all(same(before[block], arrays) for block, arrays in learner.arrays().items()), "extract only looks"
        assert np.array_equal(pictures, feed.arrays["image"])

    def test_every_cut_gives_the_outputs_that_the_inputs_give(self) -> None:
        learner, feed = self.cuttable(freeze=1.0), self.feed(count=FEW)
        cuts, wanted = list(learner.cuts()), learner.predict(feed)
        for cut, rows in zip(cuts, rows_at(learner, feed, cuts), strict=True):
            learner.enter(cut)
            found = learner.predict(toys.ArrayFeed({ACTIVATION: rows}))
            assert close(found, wanted, 10 * self.tolerance), f"other outputs from {cut}"
        learner.enter(None)
        assert close(learner.predict(feed), wanted, self.tolerance), "enter(None) goes back to the inputs"

    @pytest.mark.parametrize("freeze", [0.5, 1.0])
    def test_training_from_a_cut_is_training_from_the_inputs(self, freeze: float) -> None:
        recipe: dict[str, Any] = {"freeze": freeze, "augment": "none", "dropout": 0.3, "seed": 3}
        plain, cached, feed = self.cuttable(**recipe), self.cuttable(**recipe), self.feed()
        rows = self._enter(cached, feed, freeze)
        losses = train(plain, feed, epochs=2), train(cached, rows, epochs=2)
        assert np.allclose(*losses, rtol=100 * self.tolerance), losses
        assert close(plain.predict(feed), cached.predict(rows), 100 * self.tolerance)

    def test_a_cut_behind_trained_blocks_is_refused(self) -> None:
        for freeze in (0.0, 0.5):
            learner = self.cuttable(freeze=freeze)
            for cut in learner.cuts():
                if cut.depth > round(freeze * len(learner.blocks())):
                    with pytest.raises(ValueError, match=r"\w \w"):
                        learner.enter(cut)

    def test_entering_changes_no_array(self) -> None:
        learner = self.cuttable(freeze=1.0)
        before, trainable = learner.arrays(), learner.trainable()
        for cut in (*learner.cuts(), None):
            learner.enter(cut)
            after = learner.arrays()
            assert list(after) == list(before) and learner.trainable() == trainable
            for block, arrays in before.items():
                assert set(after[block]) == set(arrays) and same(arrays, after[block]), f"{block} at {cut}"

    @pytest.mark.parametrize("freeze", [0.5, 1.0])
    def test_a_model_trained_from_a_cut_takes_inputs_when_loaded(self, tmp_path: Path, freeze: float) -> None:
        job, feed, learner = self.job(freeze=freeze), self.feed(), self.cuttable(freeze=freeze)
        rows = self._enter(learner, feed, freeze)
        frozen = list(learner.blocks())[: round(freeze * len(learner.blocks()))]
        before = learner.arrays()
        train(learner, rows)
        assert all(same(before[block], learner.arrays()[block]) for block in frozen), "a frozen block moved"
        wanted = learner.predict(rows)
        learner.save(tmp_path)
        assert close(self.backend().load(job, tmp_path).predict(feed), wanted, 10 * self.tolerance)

    def test_set_head_is_exact(self) -> None:
        learner, feed = self.cuttable(), self.feed(count=FEW)
        (features,) = rows_at(learner, feed, list(learner.cuts())[-1:])
        draws = np.random.default_rng(0)
        heads = {
            output.name: (
                draws.normal(size=(output.size, features.shape[1])).astype(np.float32),
                draws.normal(size=output.size).astype(np.float32),
            )
            for output in self.problem().outputs
        }
        learner.set_head(heads)
        found = learner.predict(feed)
        for output in self.problem().outputs:
            weights, bias = heads[output.name]
            wanted = apply_post(output.post, features @ weights.T + bias)
            assert np.allclose(found[output.name], wanted, rtol=1e-3, atol=100 * self.tolerance), output.name

    def test_a_learner_whose_heads_are_solved_needs_no_optimizer(self, tmp_path: Path) -> None:
        learner, feed = self.cuttable(optimizer="solve", head_init="ridge", freeze=1.0), self.feed(count=FEW)
        width, output = learner.cuts()[-1].shape[0], self.problem().outputs[0]
        weights = np.random.default_rng(0).normal(size=(output.size, width)).astype(np.float32)
        learner.set_head({output.name: (weights, np.zeros(output.size, np.float32))})
        wanted = learner.predict(feed)
        learner.save(tmp_path)
        loaded = self.backend().load(self.job(optimizer="solve", head_init="ridge", freeze=1.0), tmp_path)
        assert close(loaded.predict(feed), wanted, 10 * self.tolerance)

    def test_set_head_refuses_what_does_not_fit(self) -> None:
        output, linear = self.problem().outputs[0], self.cuttable()
        width = linear.cuts()[-1].shape[0]
        right = {output.name: (np.zeros((output.size, width), np.float32), np.zeros(output.size, np.float32))}
        wrong = {output.name: (np.zeros((output.size, width + 1), np.float32), np.zeros(output.size, np.float32))}
        for learner, heads in ((linear, wrong), (self.cuttable(head_width=16), right)):
            with pytest.raises(ValueError, match=r"\w \w"):
                learner.set_head(heads)

    @pytest.mark.parametrize("augment", ["light", "trivial", "strong"])
    def test_views_repeat_and_differ(self, augment: str) -> None:
        learner, feed = self.cuttable(augment=augment), self.feed(count=FEW)
        cut = learner.cuts()[-1]

        def view(number: int, seed: int = 5) -> Array:
            return rows_at(learner, feed, [cut], View(augment=augment, number=number, seed=seed))[0]

        one, plain = view(1), rows_at(learner, feed, [cut])[0]
        assert np.allclose(one, view(1), rtol=self.tolerance, atol=self.tolerance), "a view is drawn once and for all"
        for what, other in (("no view", plain), ("another number", view(2)), ("another seed", view(1, seed=6))):
            changed = (np.abs(one - other) > self.tolerance).any(1).mean()
            assert changed > 0.2, f"view 1 is {what} for {1 - changed:.0%} of the samples"
        learner = self.cuttable()  # of another recipe
        train(self.cuttable(), feed)  # whatever it draws
        few = toys.ArrayFeed({key: values[: FEW // 2] for key, values in feed.arrays.items()})
        again = rows_at(learner, few, [cut], View(augment=augment, number=1, seed=5))[0]
        close_by = 10 * self.tolerance
        assert np.allclose(one[: FEW // 2], again, rtol=close_by, atol=close_by), "a sample's place decides, no more"

    def _enter(self, learner: CuttableLearner, feed: toys.ArrayFeed, freeze: float) -> toys.ArrayFeed:
        """Enter the deepest cut; gives the feed of what stands there."""
        cut = self.allowed(learner, freeze)
        (rows,) = rows_at(learner, feed, [cut])
        learner.enter(cut)
        targets = {key: values for key, values in feed.arrays.items() if key != "image"}
        return toys.ArrayFeed({ACTIVATION: rows, **targets})


def rows_at(learner: Cuttable, feed: toys.ArrayFeed, cuts: Sequence[Cut], view: View = PLAIN) -> list[Array]:
    """What stands at each cut, for the whole feed."""
    found: list[list[Array]] = [[np.zeros((0, *cut.shape), cut.dtype)] for cut in cuts]
    for arrays in learner.extract(feed, cuts, view):
        assert len(arrays) == len(cuts) and len({len(rows) for rows in arrays}) == 1, "one array per cut, row by row"
        for cut, parts, rows in zip(cuts, found, arrays, strict=True):
            assert rows.shape[1:] == cut.shape, f"{cut} promises another shape than {rows.shape[1:]}"
            parts.append(rows)
    return [np.concatenate(parts) for parts in found]
