"""What the checks of a task begin with: its data, and outputs without error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from autoft.contracts import Task
from autoft.data import masks
from autoft.records import Dataset, Metric, Output, Problem, Sample, Schema
from autoft.testing import toys
from autoft.testing.contract import Contract

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]


class TaskBase(Contract):
    """A task and what is known of it; see `TaskContract`."""

    task: ClassVar[type[Task]]

    def dataset(self, folder: Path) -> Dataset:
        """A small learnable dataset, its files written below `folder`."""
        return toys.dataset(folder)

    def unlearnable(self, folder: Path) -> Dataset:
        """A dataset from which nothing can be learned; `schema` must refuse it. By default only one class."""
        return toys.dataset(folder, classes=1)

    def perfect_outputs(self, problem: Problem, targets: Arrays) -> Arrays:
        """What a network that makes no mistake gives out, after `Output.post`."""
        return {output.name: perfect(output, targets[output.target]) for output in problem.outputs}

    def perfect_score(self, metric: Metric) -> float:
        return 1.0 if metric.mode == "max" else 0.0

    @pytest.fixture
    def data(self, tmp_path: Path) -> Dataset:
        return self.dataset(tmp_path)

    def learn(self, dataset: Dataset) -> tuple[Task, Schema, Sequence[Problem]]:
        task = self.task()
        schema = task.schema(dataset)
        return task, schema, task.formulations(schema)

    def names(self) -> list[str]:
        return [metric.name for metric in self.task().metrics]


def truth(task: Task, samples: Sequence[Sample], schema: Schema, problem: Problem, side: int = 32) -> Arrays:
    """What the task encodes, and masks as the store holds them."""
    found = {key: np.asarray(values) for key, values in task.encode(samples, schema, problem).items()}
    if "mask" in task.targets:
        wanted = masks.labels([sample.fields["mask"] for sample in samples], schema.classes)
        rows = [masks.decode(row, wanted, side, sample.fields["image"]).pixels for row, sample in enumerate(samples)]
        found["mask"] = np.array(rows, wanted.dtype).reshape(len(samples), side, side)
    return found


def perfect(output: Output, targets: Array) -> Array:
    """Post-processed outputs that match encoded targets without error."""
    targets = np.asarray(targets)
    if output.loss == "cross_entropy" and np.issubdtype(targets.dtype, np.integer):
        return np.asarray(np.eye(output.size, dtype=np.float32)[targets])
    if output.loss in ("ctc", "native"):
        raise NotImplementedError(f"write perfect_outputs: the kit cannot know them for the loss '{output.loss}'")
    return targets.astype(np.float32)


def row_of(arrays: Mapping[str, Array], row: int) -> Arrays:
    return {key: np.asarray(values)[row : row + 1] for key, values in arrays.items()}
