"""The one module that plugins import. What is here stays compatible within an `API_VERSION`."""

from __future__ import annotations

from autoft.contracts import (
    Backend,
    EpochStats,
    Feed,
    Learner,
    ModelSource,
    Reader,
    Reschedulable,
    Resumable,
    Searcher,
    SearcherPlugin,
    Stop,
    Task,
)
from autoft.errors import AutoftError, DataError, TrialFailed, UsageError
from autoft.hookspecs import hookimpl
from autoft.recipe import Recipe
from autoft.records import (
    Dataset,
    Entry,
    EpochReport,
    Issue,
    Job,
    Metric,
    ModelCard,
    Output,
    Param,
    Problem,
    ReadOptions,
    Resources,
    Sample,
    Scalar,
    Schema,
    TrialResult,
    TrialSpec,
)
from autoft.version import API_VERSION
from autoft.vocab import did_you_mean

__all__ = [
    "API_VERSION",
    "AutoftError",
    "Backend",
    "DataError",
    "Dataset",
    "Entry",
    "EpochReport",
    "EpochStats",
    "Feed",
    "Issue",
    "Job",
    "Learner",
    "Metric",
    "ModelCard",
    "ModelSource",
    "Output",
    "Param",
    "Problem",
    "ReadOptions",
    "Reader",
    "Recipe",
    "Reschedulable",
    "Resources",
    "Resumable",
    "Sample",
    "Scalar",
    "Schema",
    "Searcher",
    "SearcherPlugin",
    "Stop",
    "Task",
    "TrialFailed",
    "TrialResult",
    "TrialSpec",
    "UsageError",
    "did_you_mean",
    "hookimpl",
]
