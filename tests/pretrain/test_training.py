"""A few steps of the real training on a tiny bank."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.pretrain import compose, contours, export, learner, textures  # noqa: E402
from tools.pretrain.bank import Bank  # noqa: E402
from tools.pretrain.train import Plan, Run, train  # noqa: E402

PLAN = Plan(seed=1, steps=24, batch=16, rate=3e-3, sides=(32, 32), bf16=False)


@pytest.fixture(scope="module")
def bank():
    rng = np.random.default_rng(0)
    masks = contours.render(contours.draw(8, rng), 32)[:, None]
    stock = compose.Stock.of(masks, *textures.bank(1, 64, rng))
    batch = compose.compose(32, stock, torch.Generator().manual_seed(0))
    return Bank(*(a.numpy() for a in (batch.images, batch.tops, batch.categories, batch.kinds)))


def test_the_loss_falls(bank):
    run = Run(PLAN)
    parts = [run.advance(bank) for _ in range(PLAN.steps)]
    losses = [part["loss"] for part in parts]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) - 0.5
    assert all(np.isfinite(value) for part in parts for value in part.values())


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(bank, tmp_path):
    plan = replace(PLAN, steps=6)
    whole, half = Run(plan), Run(plan)
    for _ in range(3):
        whole.advance(bank)
        half.advance(bank)
    half.save(tmp_path / "run.pt")
    resumed = Run(plan)
    resumed.restore(tmp_path / "run.pt")
    stops = []
    train(resumed, bank, tmp_path / "run.pt", until=lambda run: stops.append(run.step), every=2, say=stops.append)
    for _ in range(3):
        whole.advance(bank)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    assert [stop for stop in stops if isinstance(stop, int)] == [4, 6]


def test_a_run_of_another_plan_is_not_taken_up(tmp_path):
    Run(PLAN).save(tmp_path / "run.pt")
    with pytest.raises(ValueError, match="same plan"):
        Run(replace(PLAN, rate=1e-3)).restore(tmp_path / "run.pt")


def test_an_exported_network_gives_the_same_features(bank, tmp_path):
    from autoft_torch import _weights

    run = Run(replace(PLAN, steps=2))
    run.advance(bank)
    net = export.settled(run.mean, bank, side=32, batches=3)
    path = export.write(net, tmp_path, {"step": 1})
    other = learner.trunk().eval()
    _weights.put(other, _weights.read(path), (), str(path), strict=True)
    images = torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(other(images), net(images), rtol=0.02, atol=0.02)
