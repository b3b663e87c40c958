"""One search on two real frameworks: a row for each on one leaderboard, and models that need their own alone."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autoft.run import Run
from autoft.testing import toys

NEEDED = {"torch": ("autoft_torch", "torch"), "keras": ("autoft_keras", "tensorflow")}
SECONDS = 240
#: Everything but the network is fixed, so that a grid has one trial for each backend.
FIXED = {"freeze": "1", "epochs": "2", "batch_size": "16", "image_size": "64", "lr": "0.01", "optimizer": "adamw"}
FIXED |= {"weight_decay": "0", "dropout": "0", "label_smoothing": "0", "augment": "none", "layer_decay": "1"}

PREDICT = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = name.partition(".")[0] in sys.argv[1].split(",")
        return None if absent else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
from autoft.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_search_on_both_and_models_that_need_one(tmp_path: Path) -> None:
    for name in (name for pair in NEEDED.values() for name in pair):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}")
    data = toys.write_image_folder(tmp_path / "imgs", per_class=60, size=64)
    words = [f"{key}={value}" for key, value in FIXED.items()]
    options = ["--backend", "torch,keras", "--models", "autoft/resnet-s", "--searcher", "grid", "--scheduler", "none"]
    options += ["--preset", "fast", "--time", f"{SECONDS}s", "--offline", "--name", "both"]
    command = [sys.executable, "-m", "autoft.cli.main", "search", "--task", "image-cls", "--data", str(data), *options]
    began = time.monotonic()
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=600, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began <= SECONDS, "a budget is kept"

    run = Run(tmp_path / "runs" / "image-cls" / "both")
    results = {result.backend: result for result in run.results()}
    assert {(name, result.model) for name, result in results.items()} == {
        ("torch", "autoft/resnet-s:torch"),
        ("keras", "autoft/resnet-s:keras"),
    }
    chance = 0.25
    for backend, result in results.items():
        assert result.score is not None and result.score > 2 * chance, result.traceback
        blocked = "keras,tensorflow" if backend == "torch" else "torch,timm,torchvision"
        words = ["predict", f"{run.path}:{result.name}", "--source", str(data), "--json"]
        told = subprocess.run(
            [sys.executable, "-c", PREDICT, blocked, *words], capture_output=True, text=True, timeout=300
        )
        assert told.returncode == 0, told.stderr
        assert len(json.loads(told.stdout)) == 240
