"""What all tests share: where the shared data are, which marks need what, and a cache that is not the user's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoft.abilities import Aimed, Baselined, Choosing, Learning
from autoft.contracts import Calibrated

SHARED = Path(os.environ.get("AUTOFT_SHARED") or Path(__file__).parent.parent / "shared")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = {
        "shared": "" if SHARED.is_dir() else "there is no folder of shared data: set AUTOFT_SHARED",
        "gpu": "" if shutil.which("nvidia-smi") else "this machine has no NVIDIA GPU",
    }
    for item in items:
        for mark, reason in absent.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with `data/` and `weights/`; tests that use it are marked `shared`."""
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Decoded samples of tests stay out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("AUTOFT_CACHE")
    os.environ["AUTOFT_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["AUTOFT_CACHE"]
    else:
        os.environ["AUTOFT_CACHE"] = before


@pytest.fixture(autouse=True)
def abilities_of_classes() -> Iterator[None]:
    """A test that lends a class an ability takes it back in whole: `isinstance` remembers which classes had it."""
    yield
    abilities: tuple[Any, ...] = (Aimed, Baselined, Calibrated, Choosing, Learning)
    for ability in abilities:
        ability._abc_caches_clear()
