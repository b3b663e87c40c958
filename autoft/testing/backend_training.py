"""Checks of a learner in training: freezing, repeatability, deadlines, and every word of the recipe."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.abilities import Choosing
from autoft.contracts import Learner, Reschedulable
from autoft.errors import TrialFailed
from autoft.testing import toys
from autoft.testing.backend_base import COUNT, BackendBase, close, moved, never, same, train

RUNS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd"},
    "nesterov": {"optimizer": "sgd", "nesterov": True},
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw"},
    "cosine": {"schedule": "cosine", "warmup": 0.3},
    "linear": {"schedule": "linear", "warmup": 0.3},
    "constant": {"schedule": "constant", "warmup": 0.3},
    "mixup": {"mixup": 0.4},
    "cutmix": {"cutmix": 1.0},
    "mixup and cutmix": {"mixup": 0.4, "cutmix": 1.0, "label_smoothing": 0.1},
    "label smoothing": {"label_smoothing": 0.2},
    "l1": {"l1": 1e-4},
    "dropout": {"dropout": 0.5},
    "hidden relu": {"head_width": 16, "dropout": 0.3},
    "hidden gelu": {"head_width": 16, "head_activation": "gelu"},
    "hidden tanh": {"head_width": 16, "head_activation": "tanh"},
    "layer decay": {"layer_decay": 0.5},
    "no clipping": {"clip": 0.0},
    "light": {"augment": "light"},
    "trivial": {"augment": "trivial"},
    "strong": {"augment": "strong"},
    "bf16": {"precision": "bf16"},
    "auto precision": {"precision": "auto"},
    "batch beyond the data": {"batch_size": 64},
    "last batch of one": {"batch_size": 31},
}


class Watched(toys.ArrayFeed):
    """A feed that remembers which rows were asked for."""

    def __init__(self, feed: toys.ArrayFeed) -> None:
        super().__init__(feed.arrays)
        self.rows: list[int] = []

    def batch(self, index: Any) -> dict[str, Any]:
        self.rows.extend(int(row) for row in index)
        return super().batch(index)


class FreezeLaws(BackendBase):
    """Frozen means frozen, and free means free."""

    def test_arrays_are_copies_by_block(self) -> None:
        learner = self.build()
        assert list(learner.arrays()) == [*learner.blocks(), "head"], "arrays come by block, from input to head"
        for block in learner.arrays().values():
            for array in block.values():
                if array.flags.writeable:
                    array[...] = 0
        again = [array for block in learner.arrays().values() for array in block.values()]
        assert any(np.any(array) for array in again), "arrays must be copies"

    def test_freeze_1_leaves_every_backbone_array_bit_identical(self) -> None:
        learner = self.build(freeze=1.0)
        before = learner.arrays()
        train(learner, self.feed(), epochs=2)
        assert moved(before, learner.arrays()) == ["head"]

    def test_freeze_0_moves_every_block(self) -> None:
        learner = self.build(freeze=0.0)
        before = learner.arrays()
        train(learner, self.feed())
        assert moved(before, learner.arrays()) == [*learner.blocks(), "head"]

    def test_half_frozen_is_frozen_from_the_input(self) -> None:
        learner = self.build(freeze=0.5)
        blocks, before = list(learner.blocks()), learner.arrays()
        train(learner, self.feed())
        free = moved(before, learner.arrays())
        assert free == [*blocks, "head"][-len(free) :], f"of {blocks}, only {free} moved: not those next to the head"
        assert len(blocks) < 2 or 1 < len(free) <= len(blocks)

    def test_trainable_falls_with_freeze(self) -> None:
        counts = [self.build(freeze=fraction).trainable() for fraction in (0.0, 0.25, 0.5, 0.75, 1.0)]
        assert counts == sorted(counts, reverse=True), counts
        assert counts[-1] > 0, "the head is always trained"
        assert counts[0] > counts[-1] or not self.build().blocks()

    def test_layer_decay_slows_the_blocks_near_the_input(self) -> None:
        if len(self.build().blocks()) < 2:
            pytest.skip("fewer than 2 blocks")
        steps = [self._travel(layer_decay=decay) for decay in (1.0, 0.1)]
        assert steps[1] < steps[0], f"the first block moved {steps[0]} without decay and {steps[1]} with it"

    def _travel(self, **recipe: Any) -> float:
        learner = self.build(**recipe)
        first = learner.blocks()[0]
        before = learner.arrays()[first]
        train(learner, self.feed())
        after = learner.arrays()[first]
        slow = [key for key in before if not any(word in key for word in ("mean", "var", "num_batches"))]
        return float(sum(np.abs(after[key] - before[key]).sum() for key in slow))


class TrainingLaws(BackendBase):
    """Training repeats, ends in time, learns, and fails in words."""

    def test_same_seed_same_first_epoch(self) -> None:
        one, two = (self.build(seed=3, dropout=0.2, augment="trivial") for _ in range(2))
        feed = self.feed()
        losses = train(one, feed), train(two, feed)
        assert math.isclose(losses[0][0], losses[1][0], rel_tol=self.tolerance), losses
        assert close(one.predict(feed), two.predict(feed), self.tolerance)

    def test_another_seed_gives_another_head(self) -> None:
        one, two = self.build(seed=3), self.build(seed=4)
        assert not close(one.predict(self.feed()), two.predict(self.feed()), 1e-6)

    def test_an_epoch_sees_every_row_once(self) -> None:
        learner, feed = self.build(seed=1), Watched(self.feed(count=COUNT + 1))
        train(learner, feed)
        first, feed.rows = feed.rows, []
        train(learner, feed, first=2)
        assert sorted(first) == list(range(COUNT + 1)), "one pass is every row once"
        assert first != feed.rows, "the order is drawn anew for every epoch"
        again = Watched(feed)
        train(self.build(seed=1), again)
        assert again.rows == first, "the order is drawn from the seed and the epoch alone"

    def test_overfits_the_toys_in_evaluation_mode(self) -> None:
        job, feed = self.job(), self.feed()
        learner, output = self.backend().build(job), self.problem().outputs[0]
        right = 0.0
        for epoch in range(1, job.recipe.epochs + 1):
            learner.train_epoch(feed, epoch, never)
            right = float((learner.predict(feed)[output.name].argmax(-1) == feed.arrays[output.target]).mean())
            if right == 1.0:
                break
        assert right >= 0.95, f"after {job.recipe.epochs} epochs on {COUNT} images only {right:.0%} of them are right"

    def test_stop_ends_an_epoch_early(self) -> None:
        asked: list[int] = []

        def stop() -> bool:
            asked.append(1)
            return len(asked) > 2

        stats = self.build(batch_size=4).train_epoch(self.feed(), 1, stop)
        assert not stats.complete and stats.steps <= 2, f"told to stop before step 3 of 8, it gave {stats}"

    def test_a_whole_epoch_says_so(self) -> None:
        stats = self.build().train_epoch(self.feed(), 1, never)
        assert stats.complete and stats.steps >= 1 and math.isfinite(stats.loss)

    def test_a_schedule_that_is_planned_while_stop_is_asked_counts_from_that_step(self) -> None:
        planned, short = self._short(epochs=40), self._short(epochs=1)
        if not isinstance(planned, Reschedulable):
            pytest.skip("the learner is not Reschedulable")

        def stop() -> bool:
            planned.set_epochs(1)
            return False

        planned.train_epoch(self.feed(), 1, stop)
        train(short, self.feed())
        found, wanted = (learner.predict(self.feed()) for learner in (planned, short))
        assert close(found, wanted, 10 * self.tolerance), "the new rates hold from the first step on"

    def test_a_schedule_may_come_to_its_end_within_an_epoch(self) -> None:
        learner, heads = self._short(epochs=40), []
        if not isinstance(learner, Reschedulable):
            pytest.skip("the learner is not Reschedulable")

        def stop() -> bool:
            learner.set_epochs(0.5)
            heads.append(learner.arrays()["head"])
            return False

        learner.train_epoch(self.feed(), 1, stop)
        learned = self._learned()
        first, second, half, last = (
            {name: head[name] for name in learned} for head in (*heads[:2], heads[COUNT // 8], learner.arrays()["head"])
        )
        assert not same(first, second), "the first steps move the head"
        assert same(half, last), "behind half of the epoch the rate is 0"

    def _short(self, **recipe: Any) -> Learner:
        return self.build(**{"schedule": "linear", "warmup": 0.3, "freeze": 1.0, "batch_size": 4, **recipe})

    def _learned(self) -> list[str]:
        """The arrays of the head that steps change: all but statistics, which do not hang on the rate."""
        learner = self._short(lr=0.0, weight_decay=0.0)
        before = learner.arrays()["head"]
        train(learner, self.feed())
        after = learner.arrays()["head"]
        return [name for name in before if same({"": before[name]}, {"": after[name]})]

    def test_a_precision_that_was_chosen_builds_the_same_where_it_is_said(self) -> None:
        def built(**recipe: Any) -> Learner:
            job = msgspec.structs.replace(self.job(**recipe), steps_per_epoch=1000)  # long enough to look
            return self.backend().build(job)

        learner = built(precision="auto")
        if not isinstance(learner, Choosing):
            pytest.skip("the learner does not choose")
        heads, said = built(precision="auto", freeze=1.0), built(precision=learner.precision_chosen() or "fp32")
        assert isinstance(heads, Choosing) and isinstance(said, Choosing)
        assert heads.precision_chosen() == "", "heads stand on features that all trials share"
        assert said.precision_chosen() == "", "nothing is open where the recipe has a word"
        assert close(said.predict(self.feed()), learner.predict(self.feed()), self.tolerance)

    def test_a_loss_that_is_not_finite_fails_the_trial(self) -> None:
        wild: dict[str, Any] = {
            "lr": 100.0,
            "weight_decay": 1000.0,
            "clip": 0.0,
            "batch_size": 4,
            "epochs": 20,
            "schedule": "constant",
        }
        learner = self.build(optimizer="sgd", **wild)
        with np.errstate(all="ignore"), pytest.raises(TrialFailed) as caught:
            train(learner, self.feed(), epochs=20)
        assert " " in str(caught.value)

    @pytest.mark.parametrize("name", RUNS)
    def test_recipe_runs(self, name: str) -> None:
        learner = self.build(**RUNS[name])
        assert all(math.isfinite(loss) for loss in train(learner, self.feed(), epochs=2))
        outputs = learner.predict(self.feed(count=3))
        assert all(np.isfinite(values).all() for values in outputs.values())

    def test_class_weights_run(self) -> None:
        plain = self.problem()
        output = msgspec.structs.replace(plain.outputs[0], class_weights=(0.5, 1.0, 1.5, 2.0)[: plain.outputs[0].size])
        wanted = msgspec.structs.replace(plain, outputs=(output, *plain.outputs[1:]))
        assert math.isfinite(train(self.build(wanted, mixup=0.2), self.feed(wanted))[0])

    @pytest.mark.parametrize("penalty", [{"l1": 1.0}, {"weight_decay": 5.0}], ids=["l1", "weight_decay"])
    def test_penalties_shrink_the_head(self, penalty: dict[str, float]) -> None:
        plain: dict[str, Any] = {"optimizer": "sgd", "lr": 0.01, "clip": 0.0, "l1": 0.0, "weight_decay": 0.0}
        sums = []
        for recipe in (plain, {**plain, **penalty}):
            learner = self.build(**recipe)
            train(learner, self.feed(), epochs=2)
            sums.append(sum(float(np.abs(a).sum()) for a in learner.arrays()["head"].values() if a.ndim > 1))
        assert sums[1] < sums[0], f"the head's weights sum to {sums[0]} without and {sums[1]} with the penalty"
