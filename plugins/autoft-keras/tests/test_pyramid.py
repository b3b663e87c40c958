"""Features of all levels: the same as in PyTorch, and told apart again in a network that was saved."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from autoft_keras import _levels, _pyramid, _trunks
from autoft_keras.backend import KerasBackend, prepare

FEATURES = """
import sys
import numpy as np, torch
from autoft_torch import _pyramid, _trunks
from autoft_torch.sources import AutoftSource
trunk = _trunks.pretrained(AutoftSource().catalogue()[0], 64).eval()
images = torch.from_numpy(np.load(sys.argv[1])).permute(0, 3, 1, 2)
with torch.inference_mode():
    np.save(sys.argv[2], _pyramid.pooled(trunk, _pyramid.find(trunk, 64), images).numpy())
"""


@pytest.mark.skipif(not (find_spec("torch") and find_spec("autoft_torch")), reason="autoft-torch is not installed")
def test_the_bundled_network_gives_the_same_as_in_pytorch(bundled, tmp_path):
    prepare()
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 3)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    command = [sys.executable, "-c", FEATURES, str(tmp_path / "images.npy"), str(tmp_path / "found.npy")]
    subprocess.run(command, check=True)
    wide = _pyramid.model(_trunks.pretrained(bundled, 64))
    np.testing.assert_allclose(wide(images).numpy(), np.load(tmp_path / "found.npy"), rtol=1e-3, atol=1e-4)


def test_the_last_features_are_found_again(bundled):
    prepare()
    trunk = _trunks.pretrained(bundled, 64)
    wide, images = _pyramid.model(trunk), np.random.default_rng(0).normal(size=(2, 64, 64, 3)).astype(np.float32)
    maps = [level.shape[-1] for level in _levels.model(trunk).outputs]
    assert wide.output_shape[1] == trunk.output_shape[1] + 3 * sum(maps)
    assert _pyramid.wide(wide) is wide.outputs[0] and _pyramid.plain(trunk) is trunk
    np.testing.assert_allclose(_pyramid.plain(wide)(images).numpy(), trunk(images).numpy(), rtol=1e-5, atol=1e-5)


def test_a_network_that_shows_nothing_has_its_last_features_alone(bundled, job, toys, monkeypatch):
    prepare()
    monkeypatch.setattr(_pyramid, "_shown", lambda trunk: [])
    learner = KerasBackend().build(job(bundled, freeze=1.0, pooling="levels"))
    assert learner.levels() == learner.cuts()[-1]
    for cut in learner.cuts():
        learner.enter(cut)
