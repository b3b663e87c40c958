"""The one module that plugins import. What is here stays compatible within an `API_VERSION`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autoft.abilities import (
    Aimed,
    Baselined,
    Batched,
    Choosing,
    Counting,
    Enlarging,
    Inheriting,
    Itemizing,
    Joining,
    Learning,
    Leveled,
    Piecewise,
    Placed,
    Settling,
)
from autoft.ahead import ahead
from autoft.contracts import (
    Backend,
    Calibrated,
    Cuttable,
    Detailed,
    Encoder,
    EpochStats,
    Exporting,
    Feed,
    Forkable,
    Learner,
    ModelSource,
    Reader,
    Reschedulable,
    Resumable,
    Searcher,
    SearcherPlugin,
    Stop,
    Tallying,
    Task,
)
from autoft.data.coco import CocoFile, CocoImage, coco_files, coco_root, flagged, read_coco
from autoft.data.headers import ImageHeader, image_header, open_image, survey_mask, survey_pieces
from autoft.data.media import is_media, part_word, split_word, walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.data.tablefiles import is_table
from autoft.data.tabular import Table, read_table
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
    Mask,
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
    Shape,
    TrialResult,
    TrialSpec,
    View,
    from_json,
    to_json,
    to_plain,
)
from autoft.search.sampling import draw
from autoft.search.space import baseline
from autoft.search.strategy import Closed, Facts, Order, Strategy, StrategyPlugin, Work
from autoft.version import API_VERSION
from autoft.vocab import did_you_mean

if TYPE_CHECKING:
    from autoft.batches import by_length, in_order, shown_again, shuffled, windows
    from autoft.counted import counted
    from autoft.data.audio import mel_filters
    from autoft.data.cepstrum import usual as usual_cepstra
    from autoft.data.drawn import Drawings, DrawnImage, DrawnShape, drawn_sign, read_drawn
    from autoft.data.mediatables import IMAGE_COLUMNS, media_tables, table_part
    from autoft.data.pieces import together as pieces_together
    from autoft.data.stated import PictureMeant, picture_meant
    from autoft.data.xmlfile import read_xml
    from autoft.data.yolo import YoloData, YoloImage, YoloThing, read_yolo, yolo_sign
    from autoft.measured import measured
    from autoft.tasks.classification import Classification
    from autoft.tasks.metrics import metrics as class_metrics
    from autoft.tasks.multilabel import MultiLabel
    from autoft.tasks.regression import Regression
    from autoft.tasks.strata import rarest
    from autoft.texthash import hashed, shared_terms, terms
    from autoft.textstart import WordStart, word_start
    from autoft.until import late

_LATE = {
    **{name: ("autoft.data.yolo", name) for name in ("YoloData", "YoloImage", "YoloThing", "read_yolo", "yolo_sign")},
    **{
        name: ("autoft.data.drawn", name)
        for name in ("Drawings", "DrawnImage", "DrawnShape", "drawn_sign", "read_drawn")
    },
    "read_xml": ("autoft.data.xmlfile", "read_xml"),
    **{name: ("autoft.data.mediatables", name) for name in ("IMAGE_COLUMNS", "media_tables", "table_part")},
    "PictureMeant": ("autoft.data.stated", "PictureMeant"),
    "pieces_together": ("autoft.data.pieces", "together"),
    "picture_meant": ("autoft.data.stated", "picture_meant"),
    "mel_filters": ("autoft.data.audio", "mel_filters"),
    "usual_cepstra": ("autoft.data.cepstrum", "usual"),
    "by_length": ("autoft.batches", "by_length"),
    "in_order": ("autoft.batches", "in_order"),
    "shown_again": ("autoft.batches", "shown_again"),
    "shuffled": ("autoft.batches", "shuffled"),
    "windows": ("autoft.batches", "windows"),
    "counted": ("autoft.counted", "counted"),
    "measured": ("autoft.measured", "measured"),
    "MultiLabel": ("autoft.tasks.multilabel", "MultiLabel"),
    "Regression": ("autoft.tasks.regression", "Regression"),
    "rarest": ("autoft.tasks.strata", "rarest"),
    "hashed": ("autoft.texthash", "hashed"),
    "shared_terms": ("autoft.texthash", "shared_terms"),
    "terms": ("autoft.texthash", "terms"),
    "word_start": ("autoft.textstart", "word_start"),
    "WordStart": ("autoft.textstart", "WordStart"),
    "late": ("autoft.until", "late"),
    "Classification": ("autoft.tasks.classification", "Classification"),
    "class_metrics": ("autoft.tasks.metrics", "metrics"),
}
"""Name -> where it is: these load numpy, yaml or XML, and every plugin imports this module on every start."""

__all__ = [
    "API_VERSION",
    "Aimed",
    "AutoftError",
    "Backend",
    "Baselined",
    "Batched",
    "Calibrated",
    "Choosing",
    "Classification",
    "Closed",
    "CocoFile",
    "CocoImage",
    "Counting",
    "Cut",
    "Cuttable",
    "Forkable",
    "DataError",
    "Dataset",
    "Detailed",
    "Drawings",
    "DrawnImage",
    "DrawnShape",
    "Encoder",
    "Enlarging",
    "Entry",
    "EpochReport",
    "EpochStats",
    "Exporting",
    "Facts",
    "Feed",
    "ImageHeader",
    "Inheriting",
    "Joining",
    "Learning",
    "Issue",
    "Itemizing",
    "Job",
    "Learner",
    "Leveled",
    "Mask",
    "Metric",
    "ModelCard",
    "ModelSource",
    "MultiLabel",
    "Order",
    "Output",
    "Param",
    "PictureMeant",
    "Pictures",
    "Piecewise",
    "Placed",
    "Problem",
    "ReadOptions",
    "Reader",
    "Recipe",
    "Regression",
    "Reschedulable",
    "Resources",
    "Resumable",
    "Sample",
    "Scalar",
    "Schema",
    "Searcher",
    "Settling",
    "SearcherPlugin",
    "Shape",
    "Stop",
    "Table",
    "Tallying",
    "Strategy",
    "StrategyPlugin",
    "Task",
    "TrialFailed",
    "TrialResult",
    "TrialSpec",
    "UsageError",
    "View",
    "WordStart",
    "Work",
    "YoloData",
    "YoloImage",
    "YoloThing",
    "ahead",
    "baseline",
    "cache_home",
    "class_metrics",
    "coco_files",
    "coco_root",
    "counted",
    "did_you_mean",
    "encoder",
    "draw",
    "drawn_sign",
    "fetch",
    "flagged",
    "from_hub",
    "from_json",
    "hashed",
    "hookimpl",
    "hub_endpoint",
    "hub_file",
    "hub_folder",
    "image_header",
    "by_length",
    "in_order",
    "is_media",
    "is_table",
    "late",
    "listed",
    "measured",
    "missing_picture",
    "mel_filters",
    "missing_word",
    "natural",
    "open_image",
    "part_word",
    "picture_meant",
    "pieces_together",
    "rarest",
    "read_coco",
    "read_drawn",
    "read_table",
    "read_xml",
    "read_yolo",
    "split_word",
    "survey_mask",
    "survey_pieces",
    "shared_terms",
    "shown_again",
    "shuffled",
    "terms",
    "to_json",
    "to_plain",
    "unreachable",
    "usual_cepstra",
    "walk",
    "windows",
    "word_start",
    "yolo_sign",
    "IMAGE_COLUMNS",
    "media_tables",
    "table_part",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'autoft.api' has no attribute '{name}'.{did_you_mean(name, __all__)}")
    module, attribute = _LATE[name]
    return getattr(importlib.import_module(module), attribute)
