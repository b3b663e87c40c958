"""Runs the command line in this process, and puts a plugin beside the installed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from autoft import registry
from autoft.cli.main import run

DEMO = "tests.cli.demo_plugin"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """`cli("ls", "models")` gives exit code, stdout and stderr. The current folder is empty, the cache is its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))

    def ran(*words: str) -> Ran:
        capsys.readouterr()
        code = run(words)
        return Ran(code, *capsys.readouterr())

    return ran


@pytest.fixture
def demo_plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`demo_plugin.py` found as an unpackaged plugin."""
    monkeypatch.setenv(registry.ENVIRONMENT, DEMO)
    registry.installed.cache_clear()
    yield
    registry.installed.cache_clear()


@pytest.fixture
def broken_plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module that is not there, named as a plugin."""
    monkeypatch.setenv(registry.ENVIRONMENT, "tests.cli.no_such_plugin")
    registry.installed.cache_clear()
    yield
    registry.installed.cache_clear()
