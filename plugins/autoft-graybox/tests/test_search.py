"""A whole search with the strategy, on real processes: Ray, and the network in numpy that autoft brings for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three classes of 20 noisy images."""
    generator = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for n in range(20):
            pixels = np.clip(generator.normal(colour, 60, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{n}.png")
    return tmp_path / "images"


@pytest.mark.slow
def test_a_search_pauses_and_resumes_trials(images: Path, tmp_path: Path) -> None:
    words = ["--task", "toy", "--data", str(images), "--strategy", "graybox", "--time", "280s"]
    words += ["--trials", "8", "--models", "numpy/mlp", "--backend", "numpy", "--offline"]
    environment = {**os.environ, "AUTOFT_PLUGINS": "autoft.testing.plugin", "AUTOFT_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "autoft", "search", *words, "--out", str(tmp_path / "runs"), "--json", "-q"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=290,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.glob("runs/**/trials.jsonl")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert {row["number"] for row in rows} == set(range(len(rows)))
    assert 1 < len(rows) <= 8
    assert not [row for row in rows if row["status"] == "failed"], rows
    by_number = {row["number"]: row for row in rows}
    assert by_number[0]["status"] == "finished", "the baseline runs to its end"
    assert list(tmp_path.glob("runs/**/best/*"))
