"""How recordings are changed in training: noise, and two at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from autoft.api import Output, Problem, Recipe
from autoft.testing.toys import ArrayFeed
from autoft_torch._mix import mix
from autoft_torch.backend import TorchBackend

pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
import checkpoints as ck
from checkpoints import LABEL, card_of, job


@pytest.mark.parametrize("augment", ["none", "light", "trivial", "strong"])
def test_recordings_get_noise_of_their_own_loudness(augment: str, folder: Any) -> None:
    trunk = TorchBackend().build(job(card_of(folder("hubert")), augment=augment)).net.trunk.eval()
    values = torch.ones((3, 4000)) * torch.tensor([[0.5], [0.05], [0.5]])
    values[2, 1000:] = torch.nan
    changed = trunk.changed(values, torch.Generator().manual_seed(0))
    rough = torch.stack([row[row.isfinite() & (row != 0)].std() / row[0].abs() for row in changed])
    loud = {"trivial": 10 ** (-20 / 20), "strong": 10 ** (-10 / 20)}.get(augment, 0.0)
    assert (rough <= 1.2 * loud + 1e-5).all() and (not loud or (rough > 0.005).all())
    assert changed[2, 1200:].isnan().all()


def test_two_recordings_are_mixed_as_far_as_the_longer_one_goes() -> None:
    values = torch.tensor([[1.0, 1.0, torch.nan], [3.0, torch.nan, torch.nan]])
    label = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
    posed = Problem(name="class", inputs=("audio",), outputs=(label,))
    rng = np.random.default_rng(0)
    found, targets = mix(values, {"label": torch.tensor([0, 1])}, posed, Recipe(mixup=1.0, cutmix=1.0), rng)
    share = float(targets["label"][0, 0])
    while share == 1.0:
        found, targets = mix(values, {"label": torch.tensor([0, 1])}, posed, Recipe(mixup=1.0), rng)
        share = float(targets["label"][0, 0])
    expected = [share + 3 * (1 - share), share, torch.nan], [3 * share + (1 - share), 1 - share, torch.nan]
    assert torch.allclose(found, torch.tensor(expected), equal_nan=True)


def test_a_network_that_classifies_recordings_mixes_them(folder: Any) -> None:
    feed = ArrayFeed({**ck.sound_feed().arrays, "label": np.arange(len(ck.sound_feed())) % 2})
    losses = []
    for mixup in (0.0, 1.0):
        learner = TorchBackend().build(job(card_of(folder("ast")), LABEL, mixup=mixup))
        losses.append(learner.train_epoch(feed, 1, lambda: False).loss)
    assert losses[0] != losses[1]
