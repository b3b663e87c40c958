"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf

from autoft.api import Output, Problem, TrialFailed
from autoft.testing.toys import ArrayFeed
from autoft.until import Until
from autoft_keras._norms import Norms
from autoft_keras.backend import KerasBackend

STATISTICS = ("moving_mean", "moving_variance")


def never():
    return False


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


def statistics(learner):
    return {key: values for key, values in flat(learner).items() if key.endswith(STATISTICS)}


def same(one, other):
    return all(np.array_equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("norms", ["kept", "batch"])
def test_kept_statistics_stay_and_weights_are_trained(norms, bundled, job, toys):
    learner = KerasBackend().build(job(bundled, norms=norms, batch_size=16))
    before, all_before = statistics(learner), flat(learner)
    learner.train_epoch(toys, 1, never)
    assert before and same(before, statistics(learner)) == (norms == "kept")
    scales = {key: values for key, values in all_before.items() if key.endswith("gamma")}
    assert scales and not same(scales, flat(learner))


def test_from_scratch_there_is_nothing_to_keep(bundled, job, toys):
    learner = KerasBackend().build(job(msgspec.structs.replace(bundled, pretrained=False), norms="kept", batch_size=16))
    before = statistics(learner)
    learner.train_epoch(toys, 1, never)
    assert not same(before, statistics(learner))


def pictures(count=20):
    rng = np.random.default_rng(0)
    boxes = np.tile(np.array([0.2, 0.3, 0.7, 0.8, 0], np.float32), (count, 1, 1))
    return ArrayFeed({"image": rng.integers(0, 255, (count, 64, 64, 3), np.uint8), "boxes": boxes})


@pytest.fixture
def posed(bundled, job):
    output = Output(name="places", head="dense", size=1, loss="heatmap", post="sigmoid", target="places")
    encoder = "autoft.testing.backend_boxes:encode"
    problem = Problem(name="places", inputs=("image",), outputs=(output,), encoder=encoder)
    return lambda **recipe: msgspec.structs.replace(job(bundled, 64, **recipe), problem=problem)


def test_for_maps_with_peaks_statistics_are_those_of_images_as_they_are(posed):
    """Augmented ones have others: with grey edges for one."""
    found, before = [], {}
    for augment in ("none", "strong"):
        learner = KerasBackend().build(posed(augment=augment, lr=0.0, weight_decay=0.0, batch_size=8, freeze=0.3))
        before = statistics(learner)
        learner.train_epoch(pictures(), 1, never)
        found.append(statistics(learner))
    assert all(np.allclose(found[0][key], found[1][key], rtol=1e-3, atol=1e-4) for key in before)
    still = [key for key in before if np.array_equal(before[key], found[0][key])]
    assert still and len(still) < len(before), "what is frozen stays as it was, and nothing else"


def test_new_heads_learn_statistics_also_where_those_of_the_trunk_are_kept(posed):
    learner = KerasBackend().build(posed(norms="kept"))
    before = statistics(learner)
    learner.train_epoch(pictures(), 1, never)
    changed = {key for key, values in statistics(learner).items() if not np.array_equal(values, before[key])}
    assert changed == {key for key in before if key.startswith("heads.")}


@pytest.mark.parametrize("shape", [(6, 6, 5), (7,)])
def test_layers_that_are_not_fused_keep_them_as_well(shape):
    values = np.random.default_rng(0).normal(3, 2, (8, *shape)).astype(np.float32)
    layer = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input(shape), layer])
    Norms(model, scratch=False, kept=True)
    before = layer.moving_mean.numpy().copy()
    assert np.allclose(model(values, training=True), model(values, training=False), atol=1e-5)
    assert np.array_equal(before, layer.moving_mean.numpy())


@pytest.fixture
def crowded(posed, monkeypatch):
    """A learner whose memory ends where more than three pictures are shown once more; what was shown."""
    learner = KerasBackend().build(posed(lr=0.0, weight_decay=0.0, batch_size=8))
    shown, show = [], learner._show

    def showing(images):
        shown.append(len(images))
        show(images)  # statistics of some layers are new by then
        if len(images) > learner.room:
            raise tf.errors.ResourceExhaustedError(None, None, "")

    learner.room = 3
    monkeypatch.setattr(learner, "_show", showing)
    return learner, shown


def test_where_memory_ends_images_are_shown_in_parts(crowded):
    learner, shown = crowded
    learner.train_epoch(pictures(), 1, never)
    assert shown == [7, 3, 2, 2, 3, 2, 2, 3, 3] and learner.most == 3
    learner.room = 0
    with pytest.raises(TrialFailed, match="memory"):
        learner.train_epoch(pictures(), 2, never)


def test_where_time_ends_after_few_images_statistics_stay_as_they_were(crowded):
    learner, shown = crowded
    learner.room, trained = 8, []

    def late():
        trained.append(statistics(learner)) if not trained else None
        return bool(shown)

    learner.train_epoch(pictures(), 1, Until(never, lambda: 0.0, late))
    assert len(shown) == 1 and same(trained[0], statistics(learner))
