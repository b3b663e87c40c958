"""Contract kits for plugins, fakes to test against, and the reference of every loss.

A plugin's test is a subclass that names what it tests; the kit brings the checks:

    from autoft.testing import TaskContract
    from my_package._task import Counting

    class TestCounting(TaskContract):
        task = Counting

What a plugin cannot do yet is declared, with its reason, as `gaps = {"check name": "reason"}`; the check is then
expected to fail, and says so when it begins to pass.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoft.testing.backend_kit import BackendContract
    from autoft.testing.norms_kit import NormsContract
    from autoft.testing.numpy_backend import NumpyBackend, NumpyModels
    from autoft.testing.places_kit import PlacesContract
    from autoft.testing.plugin_kit import PluginContract
    from autoft.testing.reader_kit import ReaderContract
    from autoft.testing.strategy_kit import StrategyContract
    from autoft.testing.task_kit import TaskContract
    from autoft.testing.toy_task import ToyTask

__all__ = [
    "BackendContract",
    "NormsContract",
    "NumpyBackend",
    "NumpyModels",
    "PlacesContract",
    "PluginContract",
    "ReaderContract",
    "StrategyContract",
    "TaskContract",
    "ToyTask",
]

# Loaded when asked for: a worker that runs the numpy backend needs no pytest.
_HOMES = {
    "BackendContract": "backend_kit",
    "NormsContract": "norms_kit",
    "NumpyBackend": "numpy_backend",
    "NumpyModels": "numpy_backend",
    "PlacesContract": "places_kit",
    "PluginContract": "plugin_kit",
    "ReaderContract": "reader_kit",
    "StrategyContract": "strategy_kit",
    "TaskContract": "task_kit",
    "ToyTask": "toy_task",
}


# Plain asserts in a library explain nothing unless pytest rewrites them before they are imported.
_REWRITTEN = (
    *("contract", "backend_base", "backend_losses", "backend_dense", "backend_boxes", "backend_levels"),
    *("backend_prefix", "backend_training", "backend_kit", "plugin_kit", "reader_kit", "strategy_kit"),
    *("task_abilities", "task_kit", "machine", "norms_kit", "places_kit"),
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    if name.endswith("Contract"):
        _rewrite_asserts()
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def _rewrite_asserts() -> None:
    import pytest

    fresh = [module for part in _REWRITTEN if (module := f"{__name__}.{part}") not in sys.modules]
    pytest.register_assert_rewrite(*fresh)
