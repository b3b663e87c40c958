"""The whole test of a backend: name it, its smallest network, and what that network needs to learn the toys."""

from autoft.testing import BackendContract, PluginContract
from autoft_tiny_backend._backend import CARD, TinyBackend


class TestTinyBackend(BackendContract):
    backend = TinyBackend
    card = CARD
    recipe = {"lr": 0.1, "epochs": 60}


class TestPlugin(PluginContract):
    plugin = "autoft_tiny_backend.plugin"
