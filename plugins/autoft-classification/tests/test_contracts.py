"""The task and the plugin keep the contracts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.api import Dataset
from autoft.testing import PluginContract, TaskContract, scenes, toys
from autoft_classification._multilabel import ImageMultiLabel
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


class TestImageMultiLabel(TaskContract):
    """Pictures with several shapes, and which of them are there."""

    task = ImageMultiLabel

    def dataset(self, folder: Path) -> Dataset:
        return labelled(scenes.dataset(folder, width=32, height=32))

    def unlearnable(self, folder: Path) -> Dataset:
        data = scenes.dataset(folder, count=8)
        return msgspec.structs.replace(data, samples=data.samples[7:])  # nothing is in this one


def labelled(data: Dataset) -> Dataset:
    """Scenes with the classes that are in them."""
    samples = tuple(
        msgspec.structs.replace(
            s, fields={"image": s.fields["image"], "labels": sorted({box[4] for box in s.fields["boxes"]})}
        )
        for s in data.samples
    )
    return msgspec.structs.replace(data, samples=samples)


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
