"""What comparisons of whole commands rest on: the cost of all processes, the same parts, the same trained arrays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoft.api import Job, Output, Problem, Recipe
from benchmarks.common.parts import divide, files_of
from benchmarks.common.process import Done
from benchmarks.common.space import DEPTHS, draw, space

ROOT = Path(__file__).parents[2]
BURN = "import time\nbegan = time.process_time()\nwhile time.process_time() - began < {}: pass\n"
DAEMON = f"""
import os, subprocess, sys
{BURN.format(0.3)}
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {BURN.format(0.6).replace(chr(10), chr(10) + " " * 8)}
    os._exit(0)
for _ in range(4):
    subprocess.run([sys.executable, "-c", {BURN.format(0.05)!r}])
print("said")
"""


MEASURE = (
    "import json, sys; from benchmarks.common.process import run; "
    "print(json.dumps(run([sys.executable, '-c', sys.argv[1]])._asdict()))"
)


def test_the_cost_of_a_command_has_daemons_and_short_children() -> None:
    # In a process of its own: this one may have children from other tests, whose time would count.
    asked = subprocess.run(
        [sys.executable, "-c", MEASURE, DAEMON], cwd=ROOT, capture_output=True, text=True, check=True
    )
    done = Done(**json.loads(asked.stdout))
    assert done.code == 0
    assert done.output == "said\n"
    assert 1.0 <= done.cpu < 3.0  # 0.3 + 0.6 + 4 x 0.05, the last fifth of a second perhaps missing, and five starts
    assert 0.3 <= done.cpu_by["command"] < 0.6


@pytest.mark.parametrize("given", [False, True])
def test_parts_share_no_file_and_lose_none(tmp_path: Path, given: bool) -> None:
    rng = np.random.default_rng(0)
    for place in ("train", "val") if given else (".",):
        for label in "ab":
            folder = tmp_path / "data" / place / label
            folder.mkdir(parents=True)
            for number in range(20):
                pixels = rng.integers(0, 256, (4, 4, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{place}{number}.png")
    parts = divide(tmp_path / "data", 3, tmp_path / "out")
    found = {name: {(p.parent.name, p.name) for p, _ in files_of(parts.of(name))} for name in parts.counts}
    assert parts.counts == ({"train": 32, "val": 8, "test": 40} if given else {"train": 26, "val": 6, "test": 8})
    assert {name: len(files) for name, files in found.items()} == parts.counts
    assert len(set().union(*found.values())) == sum(parts.counts.values())


def test_every_depth_is_drawn_equally_often() -> None:
    configs = draw(space("autoft/resnet-s", DEPTHS), 10, seed=1)
    assert configs == draw(space("autoft/resnet-s", DEPTHS), 10, seed=1)
    assert sorted(config["freeze"] for config in configs) == sorted(DEPTHS * 2)


@pytest.mark.parametrize("freeze", [0.0, 0.55, 1.0])
def test_a_peer_trains_the_same_arrays_and_sees_the_same_features(tmp_path: Path, freeze: float) -> None:
    torch = pytest.importorskip("torch")
    from autoft_torch.backend import TorchBackend
    from autoft_torch.sources import AutoftSource
    from benchmarks.peers import loop

    card = AutoftSource().catalogue()[0]
    output = Output(name="class", head="pooled", size=3, loss="cross_entropy", post="softmax", target="class")
    problem = Problem(name="classification", inputs=("image",), outputs=(output,))
    recipe = Recipe(model=card.name, freeze=freeze, augment="none", precision="fp32")
    ours = TorchBackend().build(Job(card=card, problem=problem, recipe=recipe, image_size=64, steps_per_epoch=1))
    made = loop.Setup(tmp_path, card.name, 64, 1, 0, tmp_path, tmp_path, "none", "fp32", 0.0)
    theirs = loop.network(made, 3, {"freeze": freeze, "dropout": 0.0})
    assert sum(p.numel() for p in theirs.parameters() if p.requires_grad) == ours.trainable()
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    values = loop.prepared(made, images)
    theirs.eval()
    with torch.no_grad():
        found = theirs.rest(theirs.prefix(values)).mean((2, 3)).numpy()
        wanted = ours.net.eval().trunk(ours.inputs.normalise(torch.from_numpy(images).permute(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)
