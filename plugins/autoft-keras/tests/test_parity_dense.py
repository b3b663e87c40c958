"""Dense heads are the same in both frameworks: from the same arrays they give the same maps, and learn the same."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import msgspec
import numpy as np
import pytest

from autoft.api import Output, Problem
from autoft.testing.toys import ArrayFeed
from autoft_keras.backend import KerasBackend

SIZE, EPOCHS = 64, 2
PROBLEM = Problem(
    name="masks",
    inputs=("image",),
    outputs=(Output(name="mask", head="dense", size=3, loss="cross_entropy", post="softmax", target="mask"),),
)
TORCH = """
import sys
import msgspec, numpy as np
from autoft.api import Job, from_json
from autoft.testing.toys import ArrayFeed
from autoft_torch.backend import TorchBackend
from autoft_torch.sources import AutoftSource
job = msgspec.structs.replace(from_json(sys.argv[1], Job), card=AutoftSource().catalogue()[0])
with np.load(sys.argv[2]) as rows:
    feed = ArrayFeed(dict(rows))
learner = TorchBackend().build(job)
arrays = {f"head {key}": values for key, values in learner.arrays()["head"].items()}
arrays["before"] = learner.predict(feed)["mask"]
arrays["losses"] = [learner.train_epoch(feed, epoch, lambda: False).loss for epoch in (1, 2)]
arrays["after"] = learner.predict(feed)["mask"]
np.savez(sys.argv[3], **arrays)
"""
NAMES = {
    "neck.sides.{}.0.weight": "neck.{}.kernel",
    "neck.sides.{}.1.weight": "neck.{}.norm.gamma",
    "neck.sides.{}.1.bias": "neck.{}.norm.beta",
    "heads.mask.0.0.weight": "heads.mask.wide.kernel",
    "heads.mask.0.1.weight": "heads.mask.norm.gamma",
    "heads.mask.0.1.bias": "heads.mask.norm.beta",
    "heads.mask.0.1.running_mean": "heads.mask.norm.moving_mean",
    "heads.mask.0.1.running_var": "heads.mask.norm.moving_variance",
    "heads.mask.2.weight": "heads.mask.last.kernel",
    "heads.mask.2.bias": "heads.mask.last.bias",
}
"""Array of PyTorch -> the same one of Keras."""


@pytest.mark.slow
@pytest.mark.skipif(not (find_spec("autoft_torch") and find_spec("torch")), reason="autoft-torch is not installed")
def test_dense_heads_are_those_of_torch(bundled, job, tmp_path):
    rng = np.random.default_rng(0)
    rows = {
        "image": rng.integers(0, 256, (8, SIZE, SIZE, 3), dtype=np.uint8),
        "mask": np.kron(rng.integers(0, 3, (8, 4, 4), dtype=np.uint8), np.ones((16, 16), np.uint8)),
    }
    np.savez(tmp_path / "rows.npz", **rows)
    recipe = {"optimizer": "sgd", "lr": 0.01, "precision": "fp32"}
    wanted = msgspec.structs.replace(job(bundled, size=SIZE, **recipe), problem=PROBLEM)
    order = msgspec.json.encode(wanted).decode()
    places = str(tmp_path / "rows.npz"), str(tmp_path / "torch.npz")
    subprocess.run([sys.executable, "-c", TORCH, order, *places], check=True)
    learner, feed = KerasBackend().build(wanted), ArrayFeed(rows)
    own = learner.net.named()
    with np.load(tmp_path / "torch.npz") as kept:
        pairs = {old.format(level): new.format(level) for level in range(4) for old, new in NAMES.items()}
        assert {f"head {name}" for name in pairs} == {
            key for key in kept.files if key.startswith("head ") and not key.endswith("num_batches_tracked")
        }
        for old, new in pairs.items():
            values = kept[f"head {old}"]
            own[new].assign(values.transpose(2, 3, 1, 0) if values.ndim == 4 else values)
        assert set(pairs.values()) == set(learner.arrays()["head"]), json.dumps(sorted(own))
        assert np.allclose(learner.predict(feed)["mask"], kept["before"], atol=1e-4)
        losses = [learner.train_epoch(feed, epoch, lambda: False).loss for epoch in range(1, EPOCHS + 1)]
        assert np.allclose(losses, kept["losses"], rtol=1e-3), (losses, kept["losses"])
        assert np.allclose(learner.predict(feed)["mask"], kept["after"], atol=0.01)
