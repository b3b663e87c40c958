"""The task and the plugin keep the contracts; readers are tested beside what is particular to each format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autoft.api import Dataset, Problem
from autoft.testing import PluginContract, TaskContract, scenes
from autoft_detection import _dense
from autoft_detection._task import ObjectDetection


class TestObjectDetection(TaskContract):
    task = ObjectDetection

    def dataset(self, folder: Path) -> Dataset:
        return scenes.dataset(folder)

    def unlearnable(self, folder: Path) -> Dataset:
        return scenes.dataset(folder, count=0)

    def perfect_outputs(self, problem: Problem, targets: dict[str, Any]) -> dict[str, Any]:
        if not problem.encoder:  # a network that says the boxes itself, as sure as can be
            rows = np.asarray(targets["boxes"])
            sure = np.insert(rows, 4, 1.0, axis=2)
            return {"boxes": np.where(rows[..., 4:5] >= 0, sure, -1).astype(np.float32)}
        maps = _dense.encode(targets, 32, 32, problem)
        return {"heat": maps["heat"], "sides": np.nan_to_num(maps["sides"])}


class TestPlugin(PluginContract):
    plugin = "autoft_detection.plugin"
    distribution = "autoft-detection"
