"""Which modules give the levels of a network, and that heads on them see what the network computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoft.api import TrialFailed, View
from autoft.testing.toys import ArrayFeed
from autoft_torch import _levels, _prefix, _pyramid, _trunks
from autoft_torch.backend import TorchBackend

SIDE = 64


@pytest.mark.parametrize(
    ("library", "architecture", "extra"),
    [
        ("autoft", "resnet-s", {}),
        ("timm", "test_resnet", {}),
        ("timm", "test_efficientnet", {}),
        ("torchvision", "mobilenet_v3_small", {}),
    ],
)
def test_the_levels_are_those_of_dense_heads(card, library: str, architecture: str, extra: dict[str, object]) -> None:
    torch.manual_seed(0)
    trunk = _trunks.empty(card(library, architecture, **extra), SIDE).eval()
    images = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        levels, maps, features = _pyramid.find(trunk, SIDE), _levels.levels(trunk, images), trunk(images)
        found = _pyramid.pooled(trunk, levels, images)
    assert [level.channels for level in levels] == [one.shape[1] for one in maps]
    figures = [torch.cat([x.mean((2, 3)), x.std((2, 3), correction=0), x.amax((2, 3))], 1) for x in maps]
    torch.testing.assert_close(found, torch.cat([features, *figures], 1))
    assert found.shape[1] == features.shape[1] + _pyramid.width(levels)
    assert not any(module._forward_hooks for module in trunk.modules())


def test_a_network_of_tokens_gives_them_at_some_depths(card) -> None:
    trunk = _trunks.empty(card("timm", "test_vit", sized=True), SIDE).eval()
    levels = _pyramid.find(trunk, SIDE)
    assert levels and levels[-1].module.startswith("blocks.") and {level.places for level in levels} == {(1,)}


def test_a_network_that_shows_nothing_has_its_last_features_alone(job, card, toys, monkeypatch) -> None:
    monkeypatch.setattr(_pyramid, "find", lambda trunk, size: ())
    monkeypatch.setattr(_prefix, "_known", {})
    learner = TorchBackend().build(job(card("timm", "test_resnet"), freeze=1.0, pooling="levels"))
    assert learner.levels() == learner.cuts()[-1]
    wanted = learner.predict(toys)["class"]
    ((rows,),) = learner.extract(toys, [learner.levels()], View())
    learner.enter(learner.levels())
    np.testing.assert_allclose(learner.predict(ArrayFeed({"activation": rows}))["class"], wanted, atol=1e-5)


def test_texts_have_no_levels(job, card) -> None:
    text = card("hashing", "text-hash")
    wanted = job(type(text)(name="autoft/text-hash", backend="torch", modality="text", extra=text.extra), freeze=1.0)
    wanted = type(wanted)(
        card=wanted.card, problem=wanted.problem, recipe=type(wanted.recipe)(freeze=1.0, pooling="levels")
    )
    with pytest.raises(TrialFailed, match="needs a network for images"):
        TorchBackend().build(wanted)
