"""The contract kits, as any plugin's tests inherit them."""

from __future__ import annotations

from autoft.testing import PluginContract, StrategyContract
from autoft_graybox.strategy import GrayBox


class TestPlugin(PluginContract):
    plugin = "autoft_graybox.plugin"
    distribution = "autoft-graybox"


class TestStrategy(StrategyContract):
    strategy = GrayBox
