"""What a user names to be predicted: files, folders, tables and patterns, as samples that are called what the user
called them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from autoft import registry
from autoft.data import asked
from autoft.data.inspect import inspect
from autoft.data.media import media_field
from autoft.data.readers import open_dataset
from autoft.options import DataOptions
from autoft.records import Dataset, Issue, Sample

if TYPE_CHECKING:
    from autoft.predictor import Predictor

TABLES: Final = ("table", "hf")
"""Readers of tables, whose columns may be guessed."""


class Found(NamedTuple):
    """What there is to predict."""

    samples: tuple[Sample, ...]
    """Their ids are what rows call them, and need not be unique: a table may name a file twice."""
    issues: tuple[Issue, ...]
    """What cannot be read."""
    said: tuple[str, ...] = ()
    """Which columns of tables were taken that are not those of the training data."""


def find(predictor: Predictor, sources: Sequence[str], columns: DataOptions | None = None) -> Found:
    """All samples of these sources, in their order.

    A file is called what the user called it. What lies in a folder is called by its path below it, what a table names
    as it stands there, by the column of ids or `row 7`; where there are several sources, the source stands before it.

    Args:
        columns: its names of columns, for tables; those that the model was trained on where it says none.

    Raises:
        DataError: a source is not there, or nothing that can be predicted is in it.
    """
    field = media_field(predictor.task.inputs)
    names = [name for source in sources for name in asked.expanded(source)]
    samples: list[Sample] = []
    issues: list[Issue] = []
    said: list[str] = []
    for group in asked.grouped(names, field):
        dataset = asked.files(group, field) if len(group) > 1 else _opened(group[0], predictor, columns)
        said += _taken(group[0], dataset, predictor) if dataset.reader in TABLES else []
        # Every row is asked for, whatever part it lies in and whatever it is like.
        plain = tuple(msgspec.structs.replace(sample, split="", group="") for sample in dataset.samples)
        found = inspect(msgspec.structs.replace(dataset, samples=plain), predictor.task.inputs)
        called = (lambda name: name) if len(group) > 1 else asked.Called(group[0], dataset, several=len(names) > 1)
        samples += (msgspec.structs.replace(sample, id=called(sample.id)) for sample in found.dataset.samples)
        dropped = (issue for issue in found.issues if issue.drops)
        issues += (msgspec.structs.replace(issue, subject=called(issue.subject)) for issue in dropped)
    return Found(tuple(samples), tuple(issues), tuple(said))


def _taken(source: str, dataset: Dataset, predictor: Predictor) -> list[str]:
    """Which columns were taken, where these are not called as those of the training data were."""
    known = {**predictor.config.guessed, **predictor.config.columns}
    said = []
    for field in predictor.task.inputs:
        column, before = dataset.columns.get(field, ""), known.get(field, "")
        if column and column.lower() != before.lower():
            trained = f", the model was trained on '{before}'" if before else ""
            said.append(f"{Path(source).name}: {field} in column '{column}'{trained}")
    return said


def _opened(source: str, predictor: Predictor, columns: DataOptions | None) -> Dataset:
    options = msgspec.structs.replace(columns or DataOptions(), data=source)
    config = predictor.config
    plugins = registry.installed()
    return open_dataset(
        plugins, options, predictor.task, labelled=False, remembered=config.columns, guessed=config.guessed
    )
