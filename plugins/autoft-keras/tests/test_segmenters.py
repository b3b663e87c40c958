"""KerasHub's DeepLabV3+ from a folder: its decoder is kept, only what hangs on the classes is new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest

from autoft.api import Job, ModelCard, Output, Problem, Recipe, TrialFailed
from autoft.testing import BackendContract
from autoft.testing.scenes import scenes
from autoft.testing.toys import ArrayFeed
from autoft_keras.backend import KerasBackend
from autoft_keras.local import LocalSource

keras_hub = pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
SIZE = 64
PLAIN = {"augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "lr": 1e-3}
MASK = Output(name="mask", head="dense", size=4, loss="cross_entropy", post="argmax", target="mask")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, hub_encoder: Any) -> Path:
    network = keras_hub.models.DeepLabV3Backbone(
        image_encoder=hub_encoder,
        low_level_feature_key="P2",
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[1, 2],
        projection_filters=8,
    )
    path = tmp_path_factory.mktemp("deeplab")
    keras_hub.models.DeepLabV3ImageSegmenter(network, num_classes=7).save_to_preset(str(path))
    return path


def card_of(folder: Path) -> ModelCard:
    card = LocalSource().resolve(str(folder))
    assert card is not None and card.native == card.heads == ("dense",) and not card.fixed_size
    return card


def job(card: ModelCard, size: int = SIZE, **recipe: Any) -> Job:
    problem = Problem(name="masks", inputs=("image",), outputs=(MASK,))
    assert not KerasBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**PLAIN, **recipe}), image_size=size, seed=3)


def feed() -> ArrayFeed:
    drawn = scenes(8, SIZE, SIZE)
    return ArrayFeed({"image": np.stack([s.picture for s in drawn]), "mask": np.stack([s.mask for s in drawn])})


def test_a_segmenter_keeps_its_decoder_and_gets_new_classes(folder: Path, tmp_path: Path) -> None:
    learner: Any = KerasBackend().build(job(card_of(folder), epochs=6))
    old = keras_hub.models.Backbone.from_preset(str(folder))
    wanted = {id(v): v.numpy() for v in old.weights}
    there = [value for arrays in learner.arrays().values() for value in arrays.values()]
    assert all(any(np.array_equal(value, one) for one in there) for value in wanted.values()), "all of it is loaded"
    assert len(learner.blocks()) == 5 and not learner.cuts()
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 3), np.float32)
    maps = keras.Model(old.input, old.get_layer("segmentation_head_relu").output)(images, training=False)
    assert np.allclose(learner.net.trunk(images), maps, atol=1e-5), "the parts are put together as KerasHub does"
    losses = [learner.train_epoch(feed(), epoch, lambda: False).loss for epoch in range(1, 7)]
    assert losses[-1] < losses[0]
    found = learner.predict(feed())["mask"]
    assert found.shape == (8, SIZE, SIZE) and found.dtype == np.uint8 and found.max() < 4
    learner.save(tmp_path)
    gone = msgspec.structs.replace(card_of(folder), weights="")
    again = KerasBackend().load(job(gone), tmp_path)
    assert np.array_equal(again.predict(feed())["mask"], found)
    further: Any = KerasBackend().build(job(card_of(tmp_path)))
    kept, more = ({k: v for block in one.arrays().values() for k, v in block.items()} for one in (learner, further))
    assert kept.keys() == more.keys()
    assert {key for key in kept if not np.array_equal(kept[key], more[key])} == {
        "heads.mask.last.kernel",
        "heads.mask.last.bias",
    }, "only the classes are new again"


def test_the_encoder_is_frozen_in_blocks_and_the_decoder_never(folder: Path) -> None:
    counts = []
    for freeze in (0.0, 0.5, 1.0):
        learner: Any = KerasBackend().build(job(card_of(folder), freeze=freeze))
        before = learner.arrays()
        learner.train_epoch(feed(), 1, lambda: False)
        after = learner.arrays()
        moved = [b for b in before if any(not np.array_equal(before[b][k], after[b][k]) for k in before[b])]
        assert moved == list(before)[learner.net.frozen :], "frozen from the input on"
        counts.append(learner.trainable())
        still = [key for key, value in after["head"].items() if np.array_equal(before["head"][key], value)]
        assert not still, "decoder and classes are always trained"
    assert counts == sorted(counts, reverse=True)


def test_sizes_that_a_decoder_does_not_take_are_refused_in_words(folder: Path) -> None:
    with pytest.raises(TrialFailed, match="does not take images of 72 px: a network with a decoder takes multiples"):
        KerasBackend().build(job(card_of(folder), 72))


@pytest.mark.slow
class TestSegmenter(BackendContract):
    """The kit, on maps alone: this network has no pooled features."""

    backend = KerasBackend

    @pytest.fixture(autouse=True)
    def _from_folder(self, folder: Path) -> None:
        self.card = card_of(folder)

    def problem(self) -> Problem:
        output = msgspec.structs.replace(MASK, post="softmax")
        return Problem(name="masks", inputs=("image",), outputs=(output,))
