"""The one module that plugins import. What is here stays compatible within an `API_VERSION`."""

from __future__ import annotations

from autoft.ahead import ahead
from autoft.contracts import (
    Backend,
    Cuttable,
    Encoder,
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
from autoft.data.headers import ImageHeader, image_header
from autoft.data.media import is_media, split_word, walk
from autoft.encoder import encoder
from autoft.errors import AutoftError, DataError, TrialFailed, UsageError
from autoft.gaps import missing_word
from autoft.hookspecs import hookimpl
from autoft.hub import cache_home, fetch, from_hub, hub_endpoint, hub_file, hub_folder, unreachable
from autoft.names import listed, natural
from autoft.recipe import Recipe
from autoft.records import (
    Cut,
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
    View,
    from_json,
    to_json,
)
from autoft.version import API_VERSION
from autoft.vocab import did_you_mean

__all__ = [
    "API_VERSION",
    "AutoftError",
    "Backend",
    "Cut",
    "Cuttable",
    "DataError",
    "Dataset",
    "Encoder",
    "Entry",
    "EpochReport",
    "EpochStats",
    "Feed",
    "ImageHeader",
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
    "View",
    "ahead",
    "cache_home",
    "did_you_mean",
    "encoder",
    "fetch",
    "from_hub",
    "from_json",
    "hookimpl",
    "hub_endpoint",
    "hub_file",
    "hub_folder",
    "image_header",
    "is_media",
    "listed",
    "missing_word",
    "natural",
    "split_word",
    "to_json",
    "unreachable",
    "walk",
]
