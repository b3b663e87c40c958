"""The task and the plugin keep the contracts."""

from __future__ import annotations

from autoft.testing import PluginContract, TaskContract
from autoft_classification._task import ImageClassification


class TestImageClassification(TaskContract):
    task = ImageClassification


class TestPlugin(PluginContract):
    plugin = "autoft_classification.plugin"
    distribution = "autoft-classification"
