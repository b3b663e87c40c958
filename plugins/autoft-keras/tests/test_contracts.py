"""The contract kits, as any plugin's tests inherit them."""

from __future__ import annotations

from autoft.testing import BackendContract, PluginContract
from autoft_keras.backend import KerasBackend
from autoft_keras.sources import AutoftSource


class TestPlugin(PluginContract):
    plugin = "autoft_keras.plugin"
    distribution = "autoft-keras"


class TestResnet(BackendContract):
    backend = KerasBackend
    card = AutoftSource().catalogue()[0]
