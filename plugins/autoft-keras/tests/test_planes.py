"""Losses of maps of classes are those of their places as rows."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from autoft.api import Output
from autoft.testing import reference
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


@pytest.mark.parametrize("classes", [3, 16, 40])
def test_indices_of_enlarged_maps_are_found_picture_by_picture(classes, monkeypatch):
    """All maps of all classes at the side of the pictures are gigabytes."""
    held, enlarge = [], _losses.enlarge

    def watched(raw, side):
        held.append(raw.shape.as_list())
        return enlarge(raw, side)

    monkeypatch.setattr(_losses, "enlarge", watched)
    output = Output(name="mask", head="dense", size=classes, loss="ce_dice", post="argmax", target="mask")
    raw = np.random.default_rng(0).normal(size=(5, 8, 8, classes)).astype(np.float32)
    graph = tf.function(lambda maps, side: _losses.finish(output, maps, side), autograph=False)
    spec = tf.TensorSpec((None, 8, 8, classes))
    found = graph.get_concrete_function(spec, tf.TensorSpec((), tf.int32))(tf.constant(raw), tf.constant(52))
    assert all(shape[0] == 1 and shape[-1] <= 16 for shape in held)
    assert found.dtype == tf.uint8 and found.shape == (5, 52, 52)
    assert (found.numpy() == reference.enlarge(raw, 52).argmax(-1)).mean() > 0.999
