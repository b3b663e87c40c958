"""Where networks can be cut, and that going on from a cut is the same as going through the whole."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from autoft.api import Cut, ModelCard, View
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION
from autoft_keras import _augment, _cuts
from autoft_keras._blocks import Block
from autoft_keras.backend import KerasBackend

APPLICATIONS = ["MobileNet", "MobileNetV2", "EfficientNetB0", "ConvNeXtTiny", "ResNet50V2", "VGG16"]


def never():
    return False


def rows_of(learner, feed, cuts, view=View()):  # noqa: B008
    batches = list(learner.extract(feed, cuts, view))
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def cached(feed, rows):
    return ArrayFeed({ACTIVATION: rows, "label": feed.arrays["label"]})


def few(toys):
    return ArrayFeed({key: values[:6] for key, values in toys.arrays.items()})


def application(kind):
    facts = {"library": "keras", "architecture": kind}
    return ModelCard(name=f"keras/{kind}", backend="keras", modality="image", pretrained=False, extra=facts)


DEPTHS = {"bundled": [*range(1, 9)], "tiny": [1, 2, 3, 7]}
"""Cuts of each network. Within an attention, of which each kernel is a block, there are none."""


@pytest.fixture(params=[*DEPTHS])
def network(request) -> ModelCard:
    return request.getfixturevalue(request.param)


def check_cuts(learner, feed):
    """From every cut the same outputs as from images, on a head that makes much of small features."""
    cuts = learner.cuts()
    found = rows_of(learner, feed, cuts)
    scale = np.abs(found[-1]).max()
    assert scale > 0
    weights = np.random.default_rng(0).normal(size=(4, found[-1].shape[1])) / scale
    learner.set_head({"class": (weights.astype(np.float32), np.zeros(4, np.float32))})
    wanted = learner.predict(feed)["class"]
    assert wanted.std(0).max() > 1e-3, "images are told apart"
    for cut, rows in zip(cuts, found, strict=True):
        learner.enter(cut)
        assert np.allclose(learner.predict(cached(feed, rows))["class"], wanted, atol=1e-5), cut
        learner.enter(None)
    return [cut.depth for cut in cuts]


@pytest.mark.parametrize("name", [*DEPTHS])
def test_every_cut_of_a_network_gives_what_its_images_give(name, request, job, toys):
    learner = KerasBackend().build(job(request.getfixturevalue(name), freeze=1.0))
    assert check_cuts(learner, few(toys)) == DEPTHS[name]


@pytest.mark.slow
@pytest.mark.parametrize("kind", APPLICATIONS)
def test_networks_of_keras_are_cut_behind_each_block(kind, job, toys):
    learner = KerasBackend().build(job(application(kind), freeze=1.0))
    assert check_cuts(learner, few(toys)) == list(range(1, len(learner.blocks()) + 1))


@pytest.mark.parametrize("freeze", [0.5, 1.0])
def test_losses_from_a_cut_are_those_from_images(network, job, toys, freeze):
    recipe = {"freeze": freeze, "dropout": 0.2, "batch_size": 16}
    plain, other = (KerasBackend().build(job(network, **recipe)) for _ in range(2))
    cut = [c for c in other.cuts() if c.depth <= other.net.frozen][-1]
    (rows,) = rows_of(other, toys, [cut])
    other.enter(cut)
    for epoch in (1, 2):
        losses = plain.train_epoch(toys, epoch, never).loss, other.train_epoch(cached(toys, rows), epoch, never).loss
        assert np.isclose(*losses, rtol=1e-4), losses
    one, two = plain.arrays(), other.arrays()
    for block, arrays in one.items():
        assert all(np.allclose(arrays[key], two[block][key], atol=1e-3) for key in arrays), block


def test_a_loaded_network_is_cut_at_the_same_places(network, job, toys, tmp_path):
    """Also by one that has been cut: what is saved is the whole."""
    wanted = job(network, freeze=1.0)
    learner = KerasBackend().build(wanted)
    cuts = learner.cuts()
    rows = rows_of(learner, few(toys), cuts)
    learner.enter(cuts[1])
    learner.save(tmp_path)
    again = KerasBackend().load(wanted, tmp_path)
    assert again.cuts() == cuts
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(rows, rows_of(again, few(toys), cuts), strict=True))
    again.enter(cuts[1])
    assert np.allclose(
        again.predict(cached(few(toys), rows[1]))["class"], learner.predict(cached(few(toys), rows[1]))["class"]
    )


def test_16_bit_goes_on_where_it_stopped(bundled, job, toys):
    """Rows are kept in 32 bits; layers go on in the type that they compute in."""
    learner = KerasBackend().build(job(bundled, freeze=1.0, precision="bf16"))
    wanted = learner.predict(toys)["class"]
    for cut in learner.cuts()[3:5]:
        (rows,) = rows_of(learner, toys, [cut])
        assert rows.dtype == np.float32 and cut.dtype == "float32"
        assert np.array_equal(tf.cast(tf.cast(rows, tf.bfloat16), tf.float32), rows), "computed in 16 bits"
        learner.enter(cut)
        assert np.allclose(learner.predict(cached(toys, rows))["class"], wanted, atol=1e-3)
        learner.enter(None)


def test_words_for_what_cannot_be_done(bundled, job, toys):
    learner = KerasBackend().build(job(bundled, freeze=0.5, head_width=8))
    cuts = learner.cuts()
    with pytest.raises(ValueError, match="5 blocks stand before this one and 4 are frozen"):
        learner.enter(cuts[4])
    with pytest.raises(ValueError, match="must be one of the network's"):
        learner.enter(Cut(depth=2, shape=(1, 2, 3)))
    with pytest.raises(ValueError, match="must be linear"):
        learner.set_head({"class": (np.zeros((4, 160)), np.zeros(4))})
    with pytest.raises(ValueError, match="got 'klass'"):
        learner.set_head({"klass": (np.zeros((4, 160)), np.zeros(4))})
    learner.enter(cuts[3])
    with pytest.raises(ValueError, match="extract takes images"):
        next(learner.extract(toys, cuts[:1], View()))


@pytest.mark.parametrize("word", ["light", "trivial", "strong"])
def test_fixed_draws_do_not_hang_on_the_batch(word):
    images = np.random.default_rng(1).integers(0, 255, (6, 32, 32, 3), np.uint8)
    draw = _augment.fixed(word, 32)
    draws = np.random.default_rng(2).random((6, _augment.DRAWS), np.float32)
    whole = draw(images, draws)
    parts = tf.concat([draw(images[:4], draws[:4]), draw(images[4:], draws[4:])], 0)
    assert np.allclose(whole, parts, atol=1e-3)
    assert not np.allclose(whole, draw(images, draws[::-1].copy()), atol=1.0)


def test_every_graph_is_traced_once_for_each_cut(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, freeze=1.0, batch_size=16))
    cuts = learner.cuts()[1:3]
    for _ in range(2):
        rows = rows_of(learner, toys, cuts)
        for cut, own in zip(cuts, rows, strict=True):
            learner.enter(cut)
            learner.train_epoch(cached(toys, own), 1, never)
            learner.predict(cached(toys, own))
        learner.enter(None)
        learner.predict(toys)
    names = sorted(name for name, *_ in learner._graphs)
    assert names == ["extract", "predict", "predict", "predict", "step", "step"]


def test_entering_leaves_no_trace(bundled, job, toys):
    learner = KerasBackend().build(job(bundled, freeze=0.5))
    wanted, before = learner.net.model.get_config(), learner.arrays()
    for cut in learner.cuts()[:3]:
        learner.enter(cut)
    learner.enter(None)
    assert learner.net.model.get_config() == wanted
    after = learner.arrays()
    assert all(np.array_equal(before[b][k], after[b][k]) for b in before for k in before[b])


# ---- networks that are made to be difficult ---------------------------------------------------------------


def step(name):
    return layers.Conv2D(3, 1, activation="tanh", name=name)


def chain(x):
    """Three steps, then a mean."""
    return step("three")(step("two")(step("one")(x)))


def long(x):
    """The images come in again at the end."""
    return chain(x) + x


def past(x):
    """The second step is passed by."""
    y = step("one")(x)
    return step("three")(step("two")(y) + y)


def scaled(x):
    """The last step is already used at the start."""
    last = step("three")
    return last(step("two")(step("one")(last(x))))


def shared(x):
    """One layer without arrays stands behind all steps."""
    still = layers.ReLU()
    return still(step("three")(still(step("two")(still(step("one")(x))))))


def padded(x):
    """The second step begins with padding, and ends with pooling."""
    x = layers.ZeroPadding2D(2)(step("one")(x))
    return step("three")(layers.MaxPooling2D(2)(step("two")(x)))


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (chain, {1: "one", 2: "two", 3: "pool"}),
        (long, {3: "pool"}),
        (past, {1: "one", 3: "pool"}),
        (scaled, {3: "pool"}),
        (shared, {1: "one", 2: "two", 3: "pool"}),
        (padded, {1: "one", 2: "max_pooling2d", 3: "pool"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_cut_is_where_all_paths_meet(make, wanted):
    keras.backend.clear_session()  # names are counted anew
    images = keras.Input((8, 8, 3))
    trunk = keras.Model(images, layers.GlobalAveragePooling2D(name="pool")(make(images)))
    blocks = [Block(name, (f"{name}/kernel", f"{name}/bias")) for name in ("one", "two", "three")]
    points = _cuts.find(trunk, blocks)
    made = {point.depth: point.tensor._keras_history.operation.name for point in points}
    if make is past:
        assert made.pop(2).startswith("add"), "the sum, an operation that is no layer"
    assert made == wanted
    assert points[-1].shape == (3,)
