"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoft.api import TrialFailed
from autoft.batches import SHOWN
from autoft.testing import NormsContract
from autoft.testing.backend_base import never, same
from autoft.testing.norms_kit import pictures
from autoft.until import Until
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


NORMS = TestNorms()


@pytest.fixture
def crowded(monkeypatch):
    """A learner whose memory ends where more than three pictures are shown once more; what was shown."""
    learner = TorchBackend().build(NORMS.posed_job(lr=0.0, weight_decay=0.0, batch_size=8))
    shown, infer = [], learner._infer

    def show(images):
        shown.append(len(images))
        found = infer(images)  # statistics of some layers are new by then
        if len(images) > learner.room:
            raise torch.OutOfMemoryError
        return found

    learner.room = 3
    monkeypatch.setattr(learner, "_infer", show)
    return learner, shown


def test_where_memory_ends_images_are_shown_in_parts(crowded):
    learner, shown = crowded
    learner.train_epoch(pictures(), 1, never)
    other = TorchBackend().build(NORMS.posed_job(lr=0.0, weight_decay=0.0, batch_size=8))
    other.train_epoch(pictures(), 1, never)
    assert shown == [7, 3, 2, 2, 3, 2, 2, 3, 3] and learner.most == 3
    near = [np.allclose(a, b, rtol=0.2, atol=0.05) for a, b in zip(*map(values, (learner, other)), strict=True)]
    assert np.mean(near) > 0.9, "nothing of what did not fit is left"


def values(learner):
    return list(NORMS.known(learner).values())


def test_one_image_that_does_not_fit_fails_in_words(crowded):
    learner, _ = crowded
    learner.room = 0
    with pytest.raises(TrialFailed, match="memory"):
        learner.train_epoch(pictures(), 1, never)


def test_where_time_ends_after_few_images_statistics_stay_as_they_were(crowded):
    learner, shown = crowded
    learner.room, trained = 8, []

    def late():
        trained.append(NORMS.known(learner)) if not trained else None
        return bool(shown)

    learner.train_epoch(pictures(), 1, Until(never, lambda: 0.0, late))
    assert len(shown) == 1 and same(trained[0], NORMS.known(learner))
