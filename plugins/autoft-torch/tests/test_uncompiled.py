"""Training does not import torch's compiler, and optimizers do the same without it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from autoft_torch import _uncompiled

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from conftest import PROBLEM, scratch
from autoft.api import Job, Recipe
from autoft.testing.toys import feed
from autoft_torch.backend import TorchBackend

for optimizer in ("adamw", "adam", "sgd"):
    recipe = Recipe.of({{"augment": "light", "batch_size": 8, "epochs": 2, "optimizer": optimizer, "clip": 1.0}})
    job = Job(card=scratch("autoft", "resnet-s"), problem=PROBLEM, recipe=recipe, image_size=32, seed=0)
    learner = TorchBackend().build(job)
    before = learner.arrays()["head"]
    assert learner.train_epoch(feed(PROBLEM), 1, lambda: False).steps == 4
    assert any((array != before[name]).any() for name, array in learner.arrays()["head"].items())
    learner.predict(feed(PROBLEM))
print([name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules])
"""


def test_training_a_network_of_autoft_does_not_import_the_compiler() -> None:
    program = PROGRAM.format(folder=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[-2] == "[]"


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD])
def test_steps_are_those_of_the_optimizer(
    kind: Callable[..., torch.optim.Optimizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for compiler in (True, False):
        if compiler:
            monkeypatch.setitem(sys.modules, "torch._dynamo", __import__("torch._dynamo"))
        else:
            monkeypatch.delitem(sys.modules, "torch._dynamo")
        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.randn(4, 3))
        optimizer = kind([weight], lr=0.1, fused=True)
        for _ in range(3):
            (weight**2).sum().backward()
            _uncompiled.step(optimizer)
            optimizer.zero_grad()
        found.append(weight.detach().clone())
    assert torch.equal(*found) and not torch.equal(found[0], torch.zeros(4, 3))
