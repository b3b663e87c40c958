"""Losses of maps of classes are those of their places as rows."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from autoft.api import Output
from autoft_keras import _losses, _planes

MAP = Output(name="mask", head="dense", size=5, loss="ce_dice", post="argmax", target="mask")
WEIGHTED = msgspec.structs.replace(MAP, class_weights=(0.5, 1.0, 2.0, 0.1, 3.0))


def drawn(masked: bool) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    raw = tf.constant(rng.normal(size=(2, 4, 4, 5)).astype(np.float32))
    return raw, tf.constant(rng.integers(-2 if masked else 0, 5, (2, 12, 12)))


@pytest.mark.parametrize("word", _planes.WORDS)
@pytest.mark.parametrize("output", [MAP, WEIGHTED], ids=["plain", "weighted"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_planes_give_what_rows_give(word: str, output: Output, masked: bool, smoothing: float) -> None:
    output = msgspec.structs.replace(output, loss=word)
    raw, targets = drawn(masked)
    found = []
    for rows in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(raw)
            if rows:  # enlarged, and each place a sample of its own
                places = tf.reshape(_losses.enlarge(raw, 12), (-1, 5))
                value = _losses.loss(output, places, tf.reshape(targets, (-1,)), smoothing)
            else:
                assert _planes.fits(output, raw, targets)
                value = _losses.loss(output, raw, targets, smoothing)
        found.append((float(value), tape.gradient(value, raw).numpy()))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("changes", [{"post": "sigmoid"}, {"loss": "focal"}])
def test_other_maps_are_rows(changes: dict[str, str]) -> None:
    raw, targets = drawn(False)
    assert not _planes.fits(msgspec.structs.replace(MAP, **changes), raw, targets)
    assert not _planes.fits(MAP, tf.reshape(raw, (-1, 5)), tf.reshape(targets, (-1,))), "one class for each sample"
