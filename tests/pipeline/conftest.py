"""Searches in this process with the numpy fakes, on one Ray cluster that all tests of a module share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoft import registry
from autoft.events import Event, Finished, Listener
from autoft.options import SearchOptions
from autoft.pipeline.search import run_search
from autoft.testing import toys

Search = Callable[..., Finished]
PLUGINS = "autoft.testing.plugin,tests.pipeline.watcher,tests.pipeline.faulty"


@pytest.fixture(scope="module", autouse=True)
def fakes() -> Iterator[None]:
    """The fakes are the plugins at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(registry.ENVIRONMENT, PLUGINS)
        patch.setenv("OMP_NUM_THREADS", "1")
        registry.installed.cache_clear()
        yield
    registry.installed.cache_clear()


@pytest.fixture(scope="module")
def address(fakes: None) -> Iterator[str]:
    """A running cluster of two CPUs: a search then starts in a second."""
    from ray.cluster_utils import Cluster

    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 toys in class folders."""
    return toys.write_image_folder(tmp_path_factory.mktemp("data") / "imgs", per_class=20)


class Heard(list[Event]):
    """A listener that keeps every event."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


def options(data: Path, out: Path, **changes: Any) -> SearchOptions:
    """A short search of three trials; nothing but its length bounds it."""
    short = {"epochs": "3", "batch_size": "16", "lr": "1e-3..1e-1:log", "image_size": "32"}
    overrides = {**short, **changes.pop("overrides", {})}
    plain = {"data": str(data), "out": str(out), "task": "toy", "models": ("numpy/mlp",), "time": 600.0, "trials": 3}
    return SearchOptions(**{**plain, "scheduler": "none", "overrides": overrides, **changes})


@pytest.fixture
def search(images: Path, address: str, tmp_path: Path) -> Search:
    """`search(trials=1)` runs one below `tmp_path / "runs"`."""

    def searched(listener: Listener = lambda event: None, data: Path = images, **changes: Any) -> Finished:
        return run_search(options(data, tmp_path / "runs", address=address, **changes), listener)

    return searched


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def cache() -> Path:
    return Path(os.environ["AUTOFT_CACHE"])
