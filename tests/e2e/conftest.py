"""The command line as a user runs it: `autoft` in a process of its own, with the numpy fakes as its plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from autoft.testing import toys

ROOT = Path(__file__).parents[2]
SHORT = ("epochs=3", "batch_size=16", "lr=1e-3..1e-1:log", "image_size=32")
"""A space in which a trial takes a moment, and files are decoded as for one trial alone."""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The current folder of the commands; `imgs` lies in it."""
    folder = tmp_path_factory.mktemp("place")
    toys.write_image_folder(folder / "imgs", per_class=20)
    return folder


def environment(place: Path) -> dict[str, str]:
    plugins = "autoft.testing.plugin,tests.pipeline.watcher"
    changes = {"AUTOFT_PLUGINS": plugins, "AUTOFT_CACHE": str(place / "cache"), "PYTHONPATH": str(ROOT)}
    return {**os.environ, "OMP_NUM_THREADS": "1", **changes}


@pytest.fixture(scope="module")
def cli(place: Path) -> Cli:
    """`cli("ls", "runs")` gives exit code, stdout and stderr."""

    def ran(*words: str) -> Ran:
        done = subprocess.run(
            command(*words), cwd=place, env=environment(place), capture_output=True, text=True, timeout=250, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return ran


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "autoft.cli.main", *words]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """`run("search", ...)` in a folder of its own, with the installed plugins alone, gives what `--json` prints."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "AUTOFT_CACHE": str(tmp_path / "cache")}
    env.pop("AUTOFT_PLUGINS", None)

    def call(*words: str) -> Any:
        command = [sys.executable, "-m", "autoft", *words, "--json"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call
