"""The task and the plugin keep the contracts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.api import Dataset
from autoft.testing import PluginContract, TaskContract, toys
from autoft_classification._regression import ImageRegression
from autoft_classification._task import ImageClassification


class TestImageClassification(TaskContract):
    task = ImageClassification


class TestImageRegression(TaskContract):
    task = ImageRegression

    def dataset(self, folder: Path) -> Dataset:
        return numbered(toys.dataset(folder), 3.5)

    def unlearnable(self, folder: Path) -> Dataset:
        return numbered(toys.dataset(folder), 0.0)


class TestHeavyTail(TestImageRegression):
    """The same with the logarithm among the formulations."""

    def dataset(self, folder: Path) -> Dataset:
        return numbered(toys.dataset(folder), 3.5, power=5.0)

    def test_the_logarithm_comes_first(self, tmp_path: Path) -> None:
        assert [p.name for p in self.learn(self.dataset(tmp_path))[2]][:2] == ["log_mse", "log_mae"]


def numbered(data: Dataset, step: float, power: float = 1.0) -> Dataset:
    """Toys whose number follows from their class."""
    samples = tuple(
        msgspec.structs.replace(
            s, fields={**s.fields, "value": step * (toys.CLASSES.index(s.fields["label"])) ** power}
        )
        for s in data.samples
    )
    return msgspec.structs.replace(data, samples=samples)


class TestPlugin(PluginContract):
    plugin = "autoft_classification.plugin"
    distribution = "autoft-classification"
