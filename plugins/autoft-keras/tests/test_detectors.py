"""KerasHub's RetinaNet from a folder: pyramid and towers are kept, only the classes are new."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest

from autoft.api import Job, ModelCard, Output, Problem, Recipe, UsageError
from autoft.testing import toys
from autoft.testing.scenes import scenes
from autoft_keras.backend import KerasBackend
from autoft_keras.local import LocalSource

keras_hub = pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
SIZE = 64
PLAIN = {"augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "lr": 1e-3}
CLASSES = 3
BOXES = Output(name="boxes", head="boxes", size=CLASSES, loss="native", post="identity", target="boxes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, hub_encoder: Any) -> Path:
    network = keras_hub.models.RetinaNetBackbone(image_encoder=hub_encoder, min_level=3, max_level=6, use_p5=False)
    anchors = keras_hub.layers.AnchorGenerator("yxyx", 3, 6, 2, [0.5, 1.0, 2.0], 2.0)
    path = tmp_path_factory.mktemp("retinanet")
    keras_hub.models.RetinaNetObjectDetector(
        network, num_classes=7, anchor_generator=anchors, pre_logits_num_conv_layers=1, use_prediction_head_norm=True
    ).save_to_preset(str(path))
    return path


def card_of(folder: Path) -> ModelCard:
    card = LocalSource().resolve(str(folder))
    assert card is not None and card.native == card.heads == ("boxes",) and not card.fixed_size
    return card


def job(card: ModelCard, size: int = SIZE, **recipe: Any) -> Job:
    problem = Problem(name="boxes", inputs=("image",), outputs=(BOXES,))
    assert not KerasBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**PLAIN, **recipe}), image_size=size, seed=3)


def feed(count: int = 8, most: int = 3) -> toys.ArrayFeed:
    """Scenes with their boxes, padded with -1; the last picture has none."""
    drawn = scenes(count, SIZE, SIZE)
    boxes = np.full((count, most, 5), -1, np.float32)
    for row, scene in enumerate(drawn):
        for place, (*corners, name) in enumerate(scene.boxes):
            boxes[row, place] = [*(corner / SIZE for corner in corners), toys.CLASSES.index(name)]
    return toys.ArrayFeed({"image": np.stack([s.picture for s in drawn]), "boxes": boxes})


def flat(learner: Any) -> dict[str, Any]:
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


def test_a_detector_keeps_its_towers_and_gets_new_classes(folder: Path, tmp_path: Path) -> None:
    learner: Any = KerasBackend().build(job(card_of(folder), epochs=6))
    old = keras_hub.models.ObjectDetector.from_preset(str(folder))
    there = flat(learner).values()
    gone = [v.path for v in old.weights if not any(np.array_equal(v.numpy(), one) for one in there)]
    assert all("classification_head/logits_layer" in path for path in gone) and len(gone) == 2, gone
    assert len(learner.blocks()) == 5 and not learner.cuts()
    losses = [learner.train_epoch(feed(), epoch, lambda: False).loss for epoch in range(1, 7)]
    assert losses[-1] < losses[0]
    assert np.isfinite(learner.train_epoch(feed(most=5), 7, lambda: False).loss), "as many boxes as there are"
    found = learner.predict(feed())["boxes"]
    assert found.shape == (8, 300, 6) and found.dtype == np.float32
    none = toys.ArrayFeed({key: values[:0] for key, values in feed().arrays.items()})
    assert learner.predict(none)["boxes"].shape == (0, 300, 6)
    learner.save(tmp_path)
    plain = msgspec.structs.replace(card_of(folder), weights="")
    assert np.allclose(KerasBackend().load(job(plain), tmp_path).predict(feed())["boxes"], found, atol=1e-5)
    further = flat(KerasBackend().build(job(card_of(tmp_path))))
    kept = flat(learner)
    assert kept.keys() == further.keys()
    new = {key for key in kept if not np.array_equal(kept[key], further[key])}
    assert new == {"heads.boxes.last.kernel", "heads.boxes.last.bias"}, "only the classes are new again"


def test_it_sees_what_kerashub_sees_and_finds_what_it_is_taught(folder: Path) -> None:
    learner: Any = KerasBackend().build(job(card_of(folder)))
    old = keras_hub.models.ObjectDetector.from_preset(str(folder))
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 3), np.float32)
    assert np.allclose(learner.net.trunk(images)[0], old(images)["bbox_regression"], atol=1e-5)
    own, boxes = learner.net.own, feed().arrays["boxes"]
    kind, sides, _ = (np.asarray(value) for value in own.wanted(boxes, CLASSES))
    read = keras.utils.bounding_boxes.decode_deltas_to_boxes(
        np.concatenate([*old.anchor_generator(images).values()]),
        sides,
        anchor_format="yxyx",
        encoded_format="center_xywh",
        box_format="rel_xyxy",
        image_shape=(SIZE, SIZE, 3),
    )
    found = own.found(np.concatenate([sides, 20 * kind - 10], -1)).numpy()
    for number, truth in enumerate(boxes):
        truth = truth[truth[:, 4] >= 0]
        taught = np.asarray(read)[number][kind[number].any(-1)]
        rows = found[number][found[number][:, 5] >= 0][:, [0, 1, 2, 3, 5]]
        assert len(rows) == len(truth) <= len(taught), "each box is found once"
        for box in truth:
            assert np.abs(rows - box).max(1).min() < 1e-4
            assert np.abs(taught - box[:4]).max(1).min() < 1e-4, "KerasHub reads the sides as they are meant"


def test_as_many_boxes_are_given_out_as_the_problem_asks_for(folder: Path) -> None:
    many = msgspec.structs.replace(BOXES, most=1200)
    wanted = msgspec.structs.replace(
        job(card_of(folder)), problem=Problem(name="boxes", inputs=("image",), outputs=(many,))
    )
    learner: Any = KerasBackend().build(wanted)
    anchors = len(learner.net.own.anchors)
    sides, kinds = np.zeros((1, anchors, 4)), np.full((1, anchors, CLASSES), 3.0)
    found = learner.net.own.found(np.concatenate([sides, kinds], -1)).numpy()
    assert found.shape == (1, 1200, 6) and (found[0, :, 5] >= 0).sum() > 300


def test_the_encoder_is_frozen_in_blocks_and_towers_never(folder: Path) -> None:
    counts = []
    for freeze in (0.0, 0.5, 1.0):
        recipe = {"freeze": freeze, "augment": "strong", "precision": "bf16"}
        learner: Any = KerasBackend().build(job(card_of(folder), **recipe))
        before = learner.arrays()
        learner.train_epoch(feed(), 1, lambda: False)
        after = learner.arrays()
        moved = [b for b in before if any(not np.array_equal(before[b][k], after[b][k]) for k in before[b])]
        assert moved == list(before)[learner.net.frozen :], "frozen from the input on"
        counts.append(learner.trainable())
    assert counts == sorted(counts, reverse=True)


def test_boxes_that_are_not_to_be_learned_teach_nothing(folder: Path) -> None:
    crowds, none = feed(), feed()
    crowds.arrays["boxes"][..., 4] = np.where(crowds.arrays["boxes"][..., 4] >= 0, -2, -1)
    for picture, rows in zip(none.arrays["image"], none.arrays["boxes"], strict=True):
        for x1, y1, x2, y2 in np.round(rows[rows[:, 4] >= 0, :4] * SIZE).astype(int):
            picture[y1:y2, x1:x2] = 128  # what is there is neither a thing nor nothing
    none.arrays["boxes"][:] = -1
    losses = [
        KerasBackend().build(job(card_of(folder))).train_epoch(each, 1, lambda: False).loss
        for each in (feed(), crowds, none)
    ]
    assert losses[1] == pytest.approx(losses[2], rel=1e-5) and losses[0] != pytest.approx(losses[1], rel=1e-2)


@pytest.mark.parametrize(("kind", "shown"), [("DFine", "a DFine"), ("SegFormer", "a SegFormer"), ("CLIP", "a CLIP")])
def test_other_networks_of_several_parts_are_refused_in_words(
    folder: Path, tmp_path: Path, kind: str, shown: str
) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"class_name": f"{kind}Backbone", "registered_name": f"keras_hub>{kind}Backbone"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.weights.h5").touch()
    with pytest.raises(
        UsageError, match=f"or one of DeepLabV3, RetinaNet with its own head, but .* is {shown}"
    ) as caught:
        LocalSource().resolve(str(tmp_path))
    assert "autoft-torch" in caught.value.hint


def test_code_in_the_plan_of_a_head_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "made")
    task = json.loads((folder / "task.json").read_text())
    task["config"]["anchor_generator"] |= {"module": "os", "class_name": "system", "registered_name": None}
    (tmp_path / "made" / "task.json").write_text(json.dumps(task))
    with pytest.raises(UsageError, match=r"names os\.system"):
        LocalSource().resolve(str(tmp_path / "made"))
