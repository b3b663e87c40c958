"""The fakes keep the contracts that they are used to test."""

from __future__ import annotations

from autoft.testing import BackendContract, NumpyBackend, PluginContract, TaskContract, ToyTask
from autoft.testing.numpy_backend import CARD


class TestToyTask(TaskContract):
    task = ToyTask


class TestNumpyBackend(BackendContract):
    backend = NumpyBackend
    card = CARD


class TestFakesPlugin(PluginContract):
    plugin = "autoft.testing.plugin"
