"""The file that ships is the one its card tells of."""

import json

import pytest

torch = pytest.importorskip("torch")

from autoft_torch import _weights  # noqa: E402
from tools.pretrain import export, learner, probes, realdata  # noqa: E402
from tools.pretrain.__main__ import SHIPPED  # noqa: E402

WEIGHTS = SHIPPED / "resnet_s.safetensors"
pytestmark = pytest.mark.skipif(not WEIGHTS.is_file(), reason="no weights are shipped yet")


def card():
    return json.loads(WEIGHTS.with_suffix(".json").read_text())


def test_its_hash_is_the_recorded_one():
    assert export.digest(WEIGHTS) == card()["sha256"]
    assert WEIGHTS.stat().st_size == card()["bytes"] <= export.MOST_BYTES


def test_it_fits_the_network_exactly_and_gives_finite_features():
    net = learner.trunk().eval()
    assert sum(p.numel() for p in net.parameters()) <= 1_500_000
    _weights.put(net, _weights.read(WEIGHTS), (), str(WEIGHTS), strict=True)
    with torch.no_grad():
        features = net(probes.normal(realdata.digits(realdata.SIDE).images[:64]))
    assert torch.isfinite(features).all()
    assert (features.std(0) > 0).float().mean() > 0.9


def test_its_card_says_where_it_comes_from():
    assert card()["probes"].keys() == card()["probes_first"].keys()
    assert card()["step"] <= card()["plan"]["steps"]
    assert card()["training_minutes"] > 0
