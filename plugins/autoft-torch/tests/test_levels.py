"""Dense heads on networks of every library: which maps they give, and that those are trained on."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
import torch

from autoft.api import Job, Output, Problem, Recipe
from autoft.testing import scenes
from autoft.testing.toys import ArrayFeed
from autoft_torch import _levels, _trunks
from autoft_torch.backend import TorchBackend
from autoft_torch.local import LocalSource

SIDE = 64
OUTPUT = Output(name="mask", head="dense", size=4, loss="ce_dice", post="argmax", target="mask")
PROBLEM = Problem(name="dense", inputs=("image",), outputs=(OUTPUT,))


def masked(count: int = 8) -> ArrayFeed:
    made = scenes.scenes(count, SIDE, SIDE)
    return ArrayFeed({"image": np.stack([s.picture for s in made]), "mask": np.stack([s.mask for s in made])})


@pytest.mark.parametrize(
    ("library", "architecture", "sides"),
    [
        ("timm", "test_resnet", [16, 8, 4, 2]),
        ("torchvision", "resnet18", [16, 8, 4, 2]),
        ("torchvision", "mobilenet_v3_small", [16, 8, 4, 2]),
    ],
)
def test_levels_have_strides_4_to_32(card, library: str, architecture: str, sides: list[int]) -> None:
    trunk = _trunks.empty(card(library, architecture), SIDE).eval()
    images = torch.zeros(2, 3, SIDE, SIDE)
    for _ in range(2):  # the second time it is known which modules to listen to
        assert [level.shape[-1] for level in _levels.levels(trunk, images)] == sides
    features = trunk(images)
    assert features.ndim == 2 and not any(module._forward_hooks for module in trunk.modules())


def test_torchvision_trains_a_dense_head(card, tmp_path) -> None:
    plain = msgspec.structs.replace(card("torchvision", "mobilenet_v3_small"), heads=("pooled", "dense"))
    recipe = Recipe(batch_size=4, augment="light", epochs=2, lr=1e-3)
    job = Job(card=plain, problem=PROBLEM, recipe=recipe, image_size=SIDE)
    assert TorchBackend().supports(PROBLEM, plain) == ""
    learner, feed = TorchBackend().build(job), masked()
    before = {k: v.copy() for block in learner.arrays().values() for k, v in block.items()}
    learner.train_epoch(feed, 1, lambda: False)
    after = {k: v for block in learner.arrays().values() for k, v in block.items()}
    first = next(key for key in before if key.startswith("trunk.") and key.endswith("weight"))
    assert not np.array_equal(before[first], after[first]), "the gradient reaches the first layer"
    learner.save(tmp_path)
    again = TorchBackend().load(job, tmp_path).predict(feed)["mask"]
    assert (again == learner.predict(feed)["mask"]).all()


def test_a_segformer_folder_is_fine_tuned(tmp_path) -> None:
    transformers = pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 16, 24, 32], num_attention_heads=[1, 2, 2, 4], depths=[1, 1, 1, 1], decoder_hidden_size=16
    )
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "segformer"
    card = LocalSource().resolve(str(tmp_path))
    assert card is not None and "dense" in card.heads and not card.fixed_size
    job = Job(card=card, problem=PROBLEM, recipe=Recipe(batch_size=4, augment="none", lr=1e-3), image_size=SIDE)
    learner, feed = TorchBackend().build(job), masked()
    losses = [learner.train_epoch(feed, epoch, lambda: False).loss for epoch in (1, 2, 3, 4)]
    assert losses[-1] < losses[0] and learner.predict(feed)["mask"].shape == (8, SIDE, SIDE)
    state = transformers.SegformerForSemanticSegmentation.from_pretrained(tmp_path).state_dict()
    fresh = {k: v for block in TorchBackend().build(job).arrays().values() for k, v in block.items()}
    kept = {k.partition(".")[2]: v.numpy() for k, v in state.items() if k.startswith("segformer.") and v.ndim == 4}
    same = [any(np.array_equal(value, other) for other in fresh.values()) for value in kept.values()]
    assert same and all(same), "the encoder begins with the folder's weights"


def test_tokens_are_no_maps(tmp_path) -> None:
    transformers = pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=SIDE
    )
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path)
    card = LocalSource().resolve(str(tmp_path))
    assert card is not None and "dense" in TorchBackend().supports(PROBLEM, card)
