"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from autoft.api import Output, Problem, TrialFailed
from autoft.batches import SHOWN
from autoft.testing.toys import ArrayFeed
from autoft.until import Until
from autoft_torch.backend import TorchBackend

STATISTICS = ("running_mean", "running_var")


def never():
    return False


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


def statistics(learner):
    return {key: values for key, values in flat(learner).items() if key.endswith(STATISTICS)}


def same(one, other):
    return all(np.array_equal(one[key], other[key]) for key in one)


@pytest.fixture
def network(card):
    return msgspec.structs.replace(card("autoft", "resnet-s"), pretrained=True)


@pytest.mark.parametrize("norms", ["kept", "batch"])
def test_kept_statistics_stay_and_weights_are_trained(norms, network, job, toys):
    learner = TorchBackend().build(job(network, norms=norms, batch_size=16))
    before, all_before = statistics(learner), flat(learner)
    learner.train_epoch(toys, 1, never)
    assert before and same(before, statistics(learner)) == (norms == "kept")
    scales = [key for key in all_before if key.removesuffix("weight") + "running_mean" in before]
    assert scales and not same({key: all_before[key] for key in scales}, flat(learner))


def test_a_step_with_kept_statistics_sees_what_evaluation_sees(network, job, toys):
    learner = TorchBackend().build(job(network, norms="kept", lr=0.0, weight_decay=0.0, batch_size=16))
    seen = learner.predict(toys)
    learner.train_epoch(toys, 1, never)
    assert same(seen, learner.predict(toys))


def test_from_scratch_there_is_nothing_to_keep(network, job, toys):
    learner = TorchBackend().build(job(msgspec.structs.replace(network, pretrained=False), norms="kept", batch_size=16))
    before = statistics(learner)
    learner.train_epoch(toys, 1, never)
    assert not same(before, statistics(learner))


def pictures(count=20):
    rng = np.random.default_rng(0)
    boxes = np.tile(np.array([0.2, 0.3, 0.7, 0.8, 0], np.float32), (count, 1, 1))
    return ArrayFeed({"image": rng.integers(0, 255, (count, 64, 64, 3), np.uint8), "boxes": boxes})


@pytest.fixture
def posed(network, job):
    output = Output(name="places", head="dense", size=1, loss="heatmap", post="sigmoid", target="places")
    encoder = "autoft.testing.backend_boxes:encode"
    problem = Problem(name="places", inputs=("image",), outputs=(output,), encoder=encoder)
    return lambda **recipe: msgspec.structs.replace(job(network, **recipe), problem=problem, image_size=64)


@pytest.mark.parametrize("pretrained", [True, False])
def test_for_maps_with_peaks_statistics_are_those_of_images_as_they_are(pretrained, posed):
    """Augmented ones have others: with grey edges for one."""
    found, before = [], {}
    for augment in ("none", "strong"):
        job = posed(augment=augment, lr=0.0, weight_decay=0.0, batch_size=8, freeze=0.3 if pretrained else 0.0)
        job = msgspec.structs.replace(job, card=msgspec.structs.replace(job.card, pretrained=pretrained))
        learner = TorchBackend().build(job)
        before = statistics(learner)
        learner.train_epoch(pictures(), 1, never)
        found.append(statistics(learner))
    assert all(np.allclose(found[0][key], found[1][key], rtol=1e-3, atol=1e-4) for key in before)
    assert not same(before, found[0])
    frozen = [key for key in before if np.array_equal(before[key], found[0][key])]
    assert bool(frozen) is pretrained, "what is frozen stays as it was"


def test_those_of_new_heads_are_learned_also_where_those_of_the_trunk_are_kept(posed):
    learner = TorchBackend().build(posed(norms="kept"))
    before = statistics(learner)
    learner.train_epoch(pictures(), 1, never)
    changed = {key for key, values in statistics(learner).items() if not np.array_equal(values, before[key])}
    assert changed == {key for key in before if key.startswith("heads.")}


def test_an_epoch_that_ends_early_is_hardly_lengthened(posed):
    learner = TorchBackend().build(posed())
    shown, infer = [], learner._infer
    learner._infer = lambda images: shown.append(len(images)) or infer(images)
    looks = iter([False, True])
    learner.train_epoch(pictures(), 1, lambda: next(looks))
    assert not shown
    looks = iter([*[False] * 40, True])
    learner.train_epoch(pictures(45 * learner.job.recipe.batch_size), 1, lambda: next(looks))
    assert len(shown) == 5, "one batch for eight steps"
    shown.clear()
    learner.train_epoch(pictures(90), 1, never)
    assert SHOWN <= sum(shown) < 90


@pytest.fixture
def crowded(posed, monkeypatch):
    """A learner whose memory ends where more than three pictures are shown once more; what was shown."""
    learner = TorchBackend().build(posed(lr=0.0, weight_decay=0.0, batch_size=8))
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


def test_where_memory_ends_images_are_shown_in_parts(crowded, posed):
    learner, shown = crowded
    learner.train_epoch(pictures(), 1, never)
    other = TorchBackend().build(posed(lr=0.0, weight_decay=0.0, batch_size=8))
    other.train_epoch(pictures(), 1, never)
    assert shown == [7, 3, 2, 2, 3, 2, 2, 3, 3] and learner.most == 3
    near = [np.allclose(a, b, rtol=0.2, atol=0.05) for a, b in zip(*map(values, (learner, other)), strict=True)]
    assert np.mean(near) > 0.9, "nothing of what did not fit is left"


def values(learner):
    return list(statistics(learner).values())


def test_one_image_that_does_not_fit_fails_in_words(crowded):
    learner, _ = crowded
    learner.room = 0
    with pytest.raises(TrialFailed, match="memory"):
        learner.train_epoch(pictures(), 1, never)


def test_where_time_ends_after_few_images_statistics_stay_as_they_were(crowded):
    learner, shown = crowded
    learner.room, trained = 8, []

    def late():
        trained.append(statistics(learner)) if not trained else None
        return bool(shown)

    learner.train_epoch(pictures(), 1, Until(never, lambda: 0.0, late))
    assert len(shown) == 1 and same(trained[0], statistics(learner))
