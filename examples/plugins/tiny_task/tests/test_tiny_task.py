"""The whole test of a task: name it, and give the kit data that it understands. The checks are inherited."""

import msgspec
import pytest

from autoft.api import DataError
from autoft.testing import PluginContract, TaskContract, toys
from autoft_tiny_task._task import ImageGrade

STARS = dict(zip(toys.CLASSES, ("1", "2", "3.5", "10"), strict=True))


class TestImageGrade(TaskContract):
    task = ImageGrade

    def dataset(self, folder):
        return graded(toys.dataset(folder))

    def unlearnable(self, folder):
        return graded(toys.dataset(folder, classes=1))


class TestPlugin(PluginContract):
    plugin = "autoft_tiny_task.plugin"


def graded(dataset):
    """The toy shapes, their names replaced by grades."""
    fields = [{**sample.fields, "label": STARS[sample.fields["label"]]} for sample in dataset.samples]
    samples = [msgspec.structs.replace(s, fields=f) for s, f in zip(dataset.samples, fields, strict=True)]
    return msgspec.structs.replace(dataset, samples=tuple(samples))


def test_grades_are_sorted_by_value(tmp_path):
    assert ImageGrade().schema(graded(toys.dataset(tmp_path))).classes == ("1", "2", "3.5", "10")


def test_words_are_no_grades(tmp_path):
    with pytest.raises(DataError, match=r"must be numbers, but '.*' has 'blue_ring'"):
        ImageGrade().schema(toys.dataset(tmp_path))
