"""Networks with their own head: loaded, given new classes, frozen, trained, kept, and taken up again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
import torchvision

from autoft.api import ModelCard, TrialFailed, UsageError
from autoft.testing import toys
from autoft_torch import _native_torchvision
from autoft_torch.backend import TorchBackend
from autoft_torch.local import LocalSource

pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
sys.path.insert(0, str(Path(__file__).parent))
import natives

KINDS = (*natives.SEGMENTERS, *natives.DETECTORS)


def of_torchvision(name: str, head: str, weights: str = "") -> ModelCard:
    return ModelCard(
        name=f"torchvision/{name}",
        backend="torch",
        modality="image",
        heads=(head,),
        native=(head,),
        pretrained=bool(weights),
        weights=weights,
        extra={"library": "torchvision", "architecture": name},
    )


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


def train(learner, feed, epochs=1):
    return [learner.train_epoch(feed, epoch, lambda: False).loss for epoch in range(1, epochs + 1)]


def outputs(learner, feed):
    (found,) = learner.predict(feed).values()
    return found


@pytest.fixture
def checkpoint(tmp_path):
    """Of a kind: the card of a folder, and its arrays."""

    def make(kind):
        torch.manual_seed(1)
        state = natives.saved(kind, tmp_path / kind)
        return LocalSource().resolve(str(tmp_path / kind)), state

    return make


@pytest.fixture
def card(checkpoint):
    return lambda kind: checkpoint(kind)[0]


@pytest.mark.parametrize("number", [5, natives.CLASSES, natives.CLASSES + 1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_becomes_a_network_with_new_classes(checkpoint, kind, number, monkeypatch):
    for table in (natives.STAGES, natives.DETR):
        monkeypatch.setitem(table, "num_labels", number)
    monkeypatch.setattr(natives, "OLD", number)
    found, old = checkpoint(kind)
    head = "boxes" if kind in natives.DETECTORS else "dense"
    assert found.native == (head,) and head in found.heads and not found.fixed_size
    assert TorchBackend().supports(natives.problem(found), found) == ""
    torch.manual_seed(2)
    learner = TorchBackend().build(natives.job(found))
    arrays = {key.removeprefix("trunk."): values for key, values in flat(learner).items()}
    assert set(arrays) == set(old)
    other = [key for key in old if not np.array_equal(arrays[key], old[key])]
    assert other and all(re.search("class|score|enc_score|denoising", key) for key in other), other
    assert any(arrays[key].shape[0] in (natives.CLASSES, natives.CLASSES + 1) for key in other)
    assert len(learner.blocks()) >= 2 and list(learner.arrays()) == [*learner.blocks(), "head"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_is_kept_and_goes_on(tmp_path, card, kind):
    feed = natives.feed()
    job = natives.job(card(kind), augment="light", freeze=0.5)
    learner = TorchBackend().build(job)
    losses = train(learner, feed, 4)
    assert min(losses[1:]) < losses[0], losses
    found = outputs(learner, feed)
    assert len(found) == 16
    if kind in natives.DETECTORS:
        assert found.shape[2] == 6 and found.dtype == np.float32
        real = found[found[..., 5] >= 0]
        assert len(real) and real[:, :4].min() >= 0 and real[:, :4].max() <= 1 and set(real[:, 5]) <= {0, 1, 2}
        assert (np.diff(found[..., 4], axis=1) <= 0).all(), "best first"
        empty = learner.net.none(job.problem.outputs[0])
        assert empty.shape[1:] == found.shape[1:]
    else:
        assert found.shape == (16, natives.SIDE, natives.SIDE) and found.dtype == np.uint8
    learner.save(tmp_path / "kept")
    again = TorchBackend().load(job, tmp_path / "kept")
    assert np.allclose(outputs(again, feed), found, atol=1e-4)
    own = LocalSource().resolve(str(tmp_path / "kept"))
    assert own.native == job.card.native == own.heads and "fine-tuned by autoft" in own.summary
    further = flat(TorchBackend().build(natives.job(own)))
    kept = flat(learner)
    assert sum(np.array_equal(further[k], kept[k]) for k in kept) > 0.9 * len(kept), "only the classes are new again"


@pytest.mark.parametrize("kind", ["segformer", "rt_detr", "yolos"])
def test_depth_is_counted_in_blocks_of_the_backbone(card, kind):
    found, feed = card(kind), natives.feed(8)
    counts = []
    for freeze in (0.0, 0.5, 1.0):
        learner = TorchBackend().build(natives.job(found, freeze=freeze))
        before = learner.arrays()
        train(learner, feed)
        after = learner.arrays()
        moved = [b for b in before if any(not np.array_equal(before[b][k], after[b][k]) for k in before[b])]
        assert moved == list(before)[learner.net.frozen :], "frozen from the input on, and the head is always trained"
        counts.append(learner.trainable())
    assert counts == sorted(counts, reverse=True) and counts[2] > 0


def test_the_same_seed_trains_the_same(card):
    found, feed = card("rt_detr"), natives.feed(8)
    one, two = (train(TorchBackend().build(natives.job(found, augment="strong")), feed, 2) for _ in range(2))
    assert np.allclose(one, two, rtol=1e-5)


def test_boxes_that_are_not_to_be_learned_teach_nothing(card):
    found, feed = card("detr"), natives.feed(8)
    crowds = natives.feed(8)
    none = natives.feed(8)
    crowds.arrays["boxes"][..., 4] = np.where(crowds.arrays["boxes"][..., 4] >= 0, -2, -1)
    none.arrays["boxes"][:] = -1
    for picture, rows in zip(none.arrays["image"], feed.arrays["boxes"], strict=True):
        for x1, y1, x2, y2 in np.round(rows[rows[:, 4] >= 0, :4] * natives.SIDE).astype(int):
            picture[y1:y2, x1:x2] = 128  # what is there is neither a thing nor nothing
    losses = [train(TorchBackend().build(natives.job(found)), each)[0] for each in (feed, crowds, none)]
    assert losses[1] == pytest.approx(losses[2], rel=1e-5) and losses[0] != pytest.approx(losses[1], rel=1e-2)


def test_as_many_boxes_are_given_out_as_the_problem_asks_for(card):
    few = msgspec.structs.replace(natives.BOXES.outputs[0], most=12)
    problem = msgspec.structs.replace(natives.BOXES, outputs=(few,))
    learner = TorchBackend().build(msgspec.structs.replace(natives.job(card("yolos")), problem=problem))
    assert learner.predict(natives.feed(2))["boxes"].shape == (2, 12, 6)
    none = toys.ArrayFeed({key: values[:0] for key, values in natives.feed(2).arrays.items()})
    assert learner.predict(none)["boxes"].shape == (0, 12, 6)
    ssd = _native_torchvision.build(of_torchvision("ssdlite320_mobilenet_v3_large", "boxes", ""), 3, 224)
    with torch.no_grad():
        found = ssd.net.eval() and ssd.found(torch.rand(1, 3, 224, 224), 700)
    assert found.shape == (1, 700, 6) and (found[0, :, 5] >= 0).sum() > 300, "torchvision stops at 300 by itself"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("ssdlite320_mobilenet_v3_large", "boxes"),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", "boxes"),
        ("retinanet_resnet50_fpn_v2", "boxes"),
        ("lraspp_mobilenet_v3_large", "dense"),
        ("deeplabv3_mobilenet_v3_large", "dense"),
    ],
)
def test_networks_of_torchvision(tmp_path, name, head):
    torch.manual_seed(3)
    state = torchvision.models.get_model(name, weights=None, weights_backbone=None).state_dict()
    torch.save(state, tmp_path / "weights.pth")
    feed, card = natives.feed(4, 96), of_torchvision(name, head, str(tmp_path / "weights.pth"))
    job = natives.job(card, 96, batch_size=4, freeze=0.5)
    learner = TorchBackend().build(job)
    arrays = flat(learner)
    same = [k for k, v in state.items() if np.array_equal(arrays[f"trunk.{k}"], v.numpy())]
    assert len(same) > 0.9 * len(state)
    losses = train(learner, feed, 4)
    assert np.isfinite(losses).all()
    found = outputs(learner, feed)
    learner.save(tmp_path / "kept")
    again = TorchBackend().load(job, tmp_path / "kept")
    if head == "boxes":
        real = found[found[..., 5] >= 0]
        assert found.shape[2] == 6 and (not len(real) or (real[:, :4].min() >= 0 and set(real[:, 5]) <= {0, 1, 2}))
    assert np.allclose(outputs(again, feed), found, atol=1e-3)


def test_what_does_not_fit_is_said_in_words(tmp_path, card):
    found = card("segformer")
    assert "one output, but 2" in TorchBackend().supports(_two_maps(), found)
    boxes = card("yolos")
    assert "yolos has no dense features" in TorchBackend().supports(natives.MAPS, boxes).replace(boxes.name, "yolos")
    assert "native" in TorchBackend().supports(natives.BOXES, msgspec.structs.replace(boxes, native=()))
    with pytest.raises(UsageError, match="must be among the heads"):
        msgspec.structs.replace(boxes, heads=("pooled",))
    (Path(boxes.weights)).unlink()
    with pytest.raises(TrialFailed, match="must be on this machine"):
        TorchBackend().build(natives.job(boxes))


def _two_maps():
    (one,) = natives.MAPS.outputs
    return msgspec.structs.replace(natives.MAPS, outputs=(one, msgspec.structs.replace(one, name="other")))


def test_weights_with_arrays_missing_are_refused(card):
    from safetensors.torch import load_file, save_file

    found = card("yolos")
    state = load_file(found.weights)
    gone = next(key for key in state if "encoder" in key)
    save_file({k: v for k, v in state.items() if k != gone}, found.weights, metadata={"format": "pt"})
    with pytest.raises(TrialFailed, match="1 arrays are missing or differ"):
        TorchBackend().build(natives.job(found))


def test_a_segmenter_is_a_classifier_too_where_its_library_says_so(card, job, toys):
    found = card("segformer")
    assert found.heads == ("pooled", "dense")
    learner = TorchBackend().build(job(found))
    assert learner.predict(toys)["class"].shape == (32, 4)
