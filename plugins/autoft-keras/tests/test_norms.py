"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from autoft.testing import NormsContract
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
