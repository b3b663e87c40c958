"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from autoft.api import TrialFailed
from autoft.testing import NormsContract
from autoft.testing.backend_base import never
from autoft.testing.norms_kit import Crowded, pictures
from autoft_keras._norms import Norms
from autoft_keras.backend import KerasBackend
from autoft_keras.sources import AutoftSource


class TestNorms(NormsContract):
    backend = KerasBackend
    card = AutoftSource().catalogue()[0]
    statistics = ("moving_mean", "moving_variance")
    scale = "gamma"


@pytest.mark.parametrize("shape", [(6, 6, 5), (7,)])
def test_layers_that_are_not_fused_keep_them_as_well(shape):
    values = np.random.default_rng(0).normal(3, 2, (8, *shape)).astype(np.float32)
    layer = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input(shape), layer])
    Norms(model, scratch=False, kept=True)
    before = layer.moving_mean.numpy().copy()
    assert np.allclose(model(values, training=True), model(values, training=False), atol=1e-5)
    assert np.array_equal(before, layer.moving_mean.numpy())


NORMS = TestNorms()


@pytest.fixture
def crowded(monkeypatch):
    learner = KerasBackend().build(NORMS.posed_job(lr=0.0, weight_decay=0.0, batch_size=8))
    return Crowded(learner, "_show", lambda: tf.errors.ResourceExhaustedError(None, None, ""), monkeypatch)


def test_where_memory_ends_images_are_shown_in_parts(crowded):
    crowded.learner.train_epoch(pictures(), 1, never)
    assert crowded.shown == [7, 3, 2, 2, 3, 2, 2, 3, 3] and crowded.learner.most == 3
    crowded.room = 0
    with pytest.raises(TrialFailed, match="memory"):
        crowded.learner.train_epoch(pictures(), 2, never)


def test_where_time_ends_after_few_images_statistics_stay_as_they_were(crowded):
    crowded.check_time_ends(NORMS.known)
