"""The task and the plugin keep the contracts; readers are tested beside what is particular to each format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autoft.api import Counting, Dataset, Problem, Sample
from autoft.testing import PluginContract, TaskContract, scenes
from autoft_detection import _classes, _dense
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


def test_boxes_are_counted_in_each_image_as_far_as_they_say_something_of_their_own() -> None:
    rows = [[0, 0, 5, 5, "cell"]] * 3 + [[0, 0, 5, 5, "cell", "crowd"]]
    samples = [Sample(id=str(n), fields={"boxes": rows[4 - n :] if n < 5 else rows[:1] * n}) for n in (0, 1, 3, 12)]
    task = ObjectDetection()
    assert isinstance(task, Counting)
    assert task.counts(Dataset(samples=tuple(samples), reader="", root="", recognised="")) == [0, 0, 2, 5]


def test_names_that_differ_in_case_alone_are_told() -> None:
    assert _classes.warnings({"Disc": 20, "disc": 20, "star": 20}) == [
        "'Disc', 'disc' are taken for 2 classes: they differ in case or spaces alone."
    ]
    assert not _classes.warnings({"disc": 20, "star": 20})
