"""Detectors and segmenters of torchvision by their names: listed, from a file, and with random weights."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
import torchvision

from autoft.api import TrialFailed, UsageError
from autoft_torch import _describe, catalogue
from autoft_torch.backend import TorchBackend
from autoft_torch.local import LocalSource
from autoft_torch.sources import TorchvisionSource

pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
sys.path.insert(0, str(Path(__file__).parent))
import natives

SSD, LRASPP = "torchvision/ssdlite320_mobilenet_v3_large", "torchvision/lraspp_mobilenet_v3_large"


@pytest.mark.parametrize(
    ("name", "fits", "not_for"),
    [(SSD, natives.BOXES, natives.MAPS), (LRASPP, natives.MAPS, natives.BOXES)],
)
def test_they_are_listed_for_what_they_have_a_head_for(name, fits, not_for):
    listed = {card.name: card for card in TorchvisionSource().catalogue()}
    card = TorchvisionSource().resolve(name)
    assert card == listed[name] and card.native == card.heads and card.weights.startswith("https://")
    assert TorchBackend().supports(fits, card) == ""
    assert "has no" in TorchBackend().supports(not_for, card)


@pytest.mark.parametrize("name", [SSD, LRASPP])
def test_from_random_weights_they_need_no_connection(name):
    card = LocalSource().resolve(f"{name}@scratch")
    assert (card.pretrained, card.weights, card.offline) == (False, "", True)
    learner = TorchBackend().build(natives.job(card))
    (found,) = learner.predict(natives.feed(2)).values()
    assert len(found) == 2 and np.isfinite(found).all()


def test_a_file_of_torchvision_becomes_a_network_with_its_weights(tmp_path):
    torch.manual_seed(3)
    own = torchvision.models.get_model(LRASPP.partition("/")[2], weights=None, weights_backbone=None)
    torch.save(own.state_dict(), tmp_path / "weights.pth")
    card = _describe.describe(f"{LRASPP}@{tmp_path / 'weights.pth'}")
    assert card.native == ("dense",) and card.pretrained and card.offline
    learner = TorchBackend().build(natives.job(card))
    arrays = {key: values for block in learner.arrays().values() for key, values in block.items()}
    assert all(
        np.array_equal(arrays[f"trunk.{key}"], values.numpy())
        for key, values in own.state_dict().items()
        if key.startswith("backbone.")
    )
    with pytest.raises(TrialFailed, match="do not fit the network"):
        _describe.describe(f"{SSD}@{tmp_path / 'weights.pth'}")


@pytest.mark.slow
def test_one_that_the_catalogue_lists_is_described_the_same(monkeypatch):
    card = catalogue.find(SSD)
    described = msgspec.convert(_describe.torchvision_facts(SSD.partition("/")[2]), type(card))
    assert msgspec.structs.replace(card, macs=0.0, prior=0.0, offline=False) == described


def test_those_that_need_more_than_boxes_are_no_networks_for_it():
    with pytest.raises(UsageError, match="no classifier, detector or segmenter 'maskrcnn_resnet50_fpn'"):
        _describe.describe("torchvision/maskrcnn_resnet50_fpn")
