"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from autoft.api import TrialFailed
from autoft.batches import SHOWN
from autoft.testing import NormsContract
from autoft.testing.backend_base import never
from autoft.testing.norms_kit import Crowded, pictures
from autoft_torch.backend import TorchBackend
from autoft_torch.sources import AutoftSource


class TestNorms(NormsContract):
    backend = TorchBackend
    card = replace(AutoftSource().catalogue()[0], weights="")  # random ones, as if they were pretrained
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
    learner = TorchBackend().build(NORMS.posed_job(lr=0.0, weight_decay=0.0, batch_size=8))
    return Crowded(learner, "_infer", torch.OutOfMemoryError, monkeypatch)


def test_where_memory_ends_images_are_shown_in_parts(crowded):
    crowded.learner.train_epoch(pictures(), 1, never)
    other = TorchBackend().build(NORMS.posed_job(lr=0.0, weight_decay=0.0, batch_size=8))
    other.train_epoch(pictures(), 1, never)
    assert crowded.shown == [7, 3, 2, 2, 3, 2, 2, 3, 3] and crowded.learner.most == 3
    near = [np.allclose(a, b, rtol=0.2, atol=0.05) for a, b in zip(*map(values, (crowded.learner, other)), strict=True)]
    assert np.mean(near) > 0.9, "nothing of what did not fit is left"


def values(learner):
    return list(NORMS.known(learner).values())


def test_one_image_that_does_not_fit_fails_in_words(crowded):
    crowded.room = 0
    with pytest.raises(TrialFailed, match="memory"):
        crowded.learner.train_epoch(pictures(), 1, never)


def test_where_time_ends_after_few_images_statistics_stay_as_they_were(crowded):
    crowded.check_time_ends(NORMS.known)
