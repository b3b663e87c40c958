"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

from autoft.batches import SHOWN
from autoft.testing import NormsContract
from autoft.testing.norms_kit import pictures
from autoft_torch.backend import TorchBackend
from autoft_torch.sources import AutoftSource


class TestNorms(NormsContract):
    backend = TorchBackend
    card = AutoftSource().catalogue()[0]
    statistics = ("running_mean", "running_var")
    scale = "weight"

    def test_an_epoch_that_ends_early_is_hardly_lengthened(self) -> None:
        learner = TorchBackend().build(self.posed_job())
        shown, infer = [], learner._infer
        learner._infer = lambda images: shown.append(len(images)) or infer(images)
        looks = iter([False, True])
        learner.train_epoch(pictures(), 1, lambda: next(looks))
        assert not shown
        looks = iter([*[False] * 40, True])
        learner.train_epoch(pictures(45 * learner.job.recipe.batch_size), 1, lambda: next(looks))
        assert len(shown) == 5, "one batch for eight steps"
        shown.clear()
        learner.train_epoch(pictures(90), 1, lambda: False)
        assert SHOWN <= sum(shown) < 90
