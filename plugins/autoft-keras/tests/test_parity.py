"""The bundled network is the same in both frameworks: its file, its features, and what a recipe makes of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pytest

from autoft_keras import _trunks
from autoft_keras.backend import KerasBackend

SIZES = (32, 64, 65, 96)
# PyTorch and TensorFlow each have a process of their own: their thread pools and allocators do not mix well.
FEATURES = """
import sys
import numpy as np, torch
from autoft_torch import _trunks
from autoft_torch.sources import AutoftSource
card = AutoftSource().catalogue()[0]
with np.load(sys.argv[1]) as images, torch.inference_mode():
    trunk = _trunks.pretrained(card, 32).eval()
    found = {size: trunk(torch.from_numpy(images[size]).permute(0, 3, 1, 2)).numpy() for size in images.files}
np.savez(sys.argv[2], **found)
"""


def test_the_file_is_the_one_the_card_names(bundled, weights):
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == bundled.extra["sha256"]


@pytest.mark.skipif(find_spec("autoft_torch") is None, reason="autoft-torch is not installed")
def test_both_plugins_ship_the_same_file(weights):
    (folder,) = find_spec("autoft_torch").submodule_search_locations
    for path in (weights, weights.with_suffix(".json")):
        assert path.read_bytes() == (Path(folder) / "weights" / path.name).read_bytes()


TRAINING = """
import json, sys
import msgspec, numpy as np
from autoft.api import Job, from_json
from autoft.testing.toys import feed
from autoft_torch.backend import TorchBackend
from autoft_torch.sources import AutoftSource
card, found, arrays = AutoftSource().catalogue()[0], {}, {}
for name, text in json.loads(sys.argv[1]).items():
    job = msgspec.structs.replace(from_json(text, Job), card=card)
    learner, toys = TorchBackend().build(job), feed(job.problem)
    for key, values in learner.arrays()["head"].items():
        arrays[f"{name} {key}"] = values
    found[name] = [learner.train_epoch(toys, epoch, lambda: False).loss for epoch in (1, 2)]
    arrays[f"{name} outputs"] = learner.predict(toys)["class"]
np.savez(sys.argv[2], **arrays)
print(json.dumps(found))
"""
RECIPES = {
    "adamw": {"clip": 1.0, "label_smoothing": 0.1},
    "adam": {"optimizer": "adam", "weight_decay": 0.1, "freeze": 0.5},
    "sgd": {"optimizer": "sgd", "lr": 0.01, "weight_decay": 0.1, "schedule": "linear", "warmup": 0.3},
    "nesterov": {"optimizer": "sgd", "lr": 0.01, "nesterov": True, "layer_decay": 0.5, "clip": 0.0},
    "l1": {"l1": 0.1, "mixup": 0.4, "cutmix": 1.0, "schedule": "constant"},
    "hidden": {"head_width": 16, "head_activation": "gelu", "batch_size": 31},
}
ADAM = 1e-3
"""By how much the losses of a second epoch may differ with Adam and AdamW, relative. They divide by the size of the
gradient, so rounding grows: weights changed by one part in 10 million move the loss of torch alone by 2.7e-4 (SGD:
1e-7)."""
BOTH = pytest.mark.skipif(
    not (find_spec("autoft_torch") and find_spec("torch")), reason="autoft-torch is not installed"
)


@pytest.mark.slow
@BOTH
def test_features_are_those_of_torch(bundled, tmp_path):
    rng = np.random.default_rng(0)
    images = {str(size): rng.normal(size=(4, size, size, 3)).astype(np.float32) for size in SIZES}
    np.savez(tmp_path / "images.npz", **images)
    subprocess.run(
        [sys.executable, "-c", FEATURES, str(tmp_path / "images.npz"), str(tmp_path / "features.npz")], check=True
    )
    with np.load(tmp_path / "features.npz") as wanted:
        for size in SIZES:
            found = _trunks.pretrained(bundled, size)(images[str(size)], training=False)
            assert np.abs(found - wanted[str(size)]).max() < 1e-4, size


@pytest.mark.slow
@BOTH
def test_a_recipe_means_the_same(bundled, job, toys, tmp_path):
    """From the same arrays, both give the same losses for two epochs, and the same predictions after them."""
    plain = {"lr": 1e-3, "precision": "fp32", "weight_decay": 0.01}
    jobs = {name: job(bundled, **{**plain, **recipe}) for name, recipe in RECIPES.items()}
    orders = {name: msgspec.json.encode(wanted).decode() for name, wanted in jobs.items()}
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, json.dumps(orders), str(tmp_path / "torch.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = json.loads(done.stdout.splitlines()[-1])
    with np.load(tmp_path / "torch.npz") as kept:
        for name in RECIPES:
            learner = KerasBackend().build(jobs[name])
            heads = [learner.net.named()[key] for key in learner.arrays()["head"]]
            for variable, key in zip(heads, [k for k in kept.files if k.startswith(f"{name} heads")], strict=True):
                variable.assign(kept[key].T)
            found = [learner.train_epoch(toys, epoch, lambda: False).loss for epoch in (1, 2)]
            noise = 1e-4 if RECIPES[name].get("optimizer") == "sgd" else ADAM
            assert np.allclose(found[:1], wanted[name][:1], rtol=1e-4), (name, found, wanted[name])
            assert np.allclose(found, wanted[name], rtol=noise), (name, found, wanted[name])
            assert np.allclose(learner.predict(toys)["class"], kept[f"{name} outputs"], atol=0.01), name
