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
from autoft.search.strategy import Closed, Facts, Keeping, Order, Strategy, StrategyPlugin, Work
from autoft.version import API_VERSION
from autoft.vocab import did_you_mean

if TYPE_CHECKING:
    from autoft.answers import no_answers
    from autoft.batches import by_length, in_order, recording_lengths, shown_again, shuffled, text_lengths, windows
    from autoft.counted import counted
    from autoft.data.audio import mel_filters
    from autoft.data.cepstrum import usual as usual_cepstra
    from autoft.data.drawn import Drawings, DrawnImage, DrawnShape, drawn_sign, read_drawn
    from autoft.data.mediatables import IMAGE_COLUMNS, media_tables, table_part
    from autoft.data.pieces import together as pieces_together
    from autoft.data.readers import core_reader
    from autoft.data.stated import PictureMeant, picture_meant
    from autoft.data.xmlfile import read_xml
    from autoft.data.yolo import YoloData, YoloImage, YoloThing, read_yolo, yolo_sign
    from autoft.measured import measured
    from autoft.networks import BundledSource, PathSource, check_bundled, described, json_object, near_file
    from autoft.policies import (
        COVERS,
        FRAME_MASKS,
        GREY,
        LEAST_LEFT,
        LIGHT,
        MOVES,
        TOKENS_HIDDEN,
        WIDEST_MASK,
        WORDS_DROPPED,
        Cover,
    )
    from autoft.precision import to_predict
    from autoft.schedule import scheduled_rate
    from autoft.targets import target_at
    from autoft.tasks.classification import Classification
    from autoft.tasks.metrics import metrics as class_metrics
    from autoft.tasks.multilabel import MultiLabel
    from autoft.tasks.regression import Regression
    from autoft.tasks.strata import rarest
    from autoft.texthash import PIECES, hashed, known_terms, padded, shared_terms, terms
    from autoft.textpairs import shared_room, text_pair
    from autoft.textstart import WordStart, word_start
    from autoft.until import late

_HOMES = {
    "autoft.answers": "no_answers",
    "autoft.batches": "by_length in_order recording_lengths shown_again shuffled text_lengths windows",
    "autoft.counted": "counted",
    "autoft.data.audio": "mel_filters",
    "autoft.data.drawn": "Drawings DrawnImage DrawnShape drawn_sign read_drawn",
    "autoft.data.mediatables": "IMAGE_COLUMNS media_tables table_part",
    "autoft.data.readers": "core_reader",
    "autoft.data.stated": "PictureMeant picture_meant",
    "autoft.data.xmlfile": "read_xml",
    "autoft.data.yolo": "YoloData YoloImage YoloThing read_yolo yolo_sign",
    "autoft.measured": "measured",
    "autoft.networks": "BundledSource PathSource check_bundled described json_object near_file",
    "autoft.policies": "COVERS FRAME_MASKS GREY LEAST_LEFT LIGHT MOVES TOKENS_HIDDEN WIDEST_MASK WORDS_DROPPED Cover",
    "autoft.precision": "to_predict",
    "autoft.schedule": "scheduled_rate",
    "autoft.targets": "target_at",
    "autoft.tasks.classification": "Classification",
    "autoft.tasks.multilabel": "MultiLabel",
    "autoft.tasks.regression": "Regression",
    "autoft.tasks.strata": "rarest",
    "autoft.texthash": "PIECES hashed known_terms padded shared_terms terms",
    "autoft.textpairs": "shared_room text_pair",
    "autoft.textstart": "WordStart word_start",
    "autoft.until": "late",
}
_LATE = {
    **{name: (module, name) for module, names in _HOMES.items() for name in names.split()},
    "class_metrics": ("autoft.tasks.metrics", "metrics"),
    "pieces_together": ("autoft.data.pieces", "together"),
    "usual_cepstra": ("autoft.data.cepstrum", "usual"),
}
"""Name -> where it is: these load numpy, yaml or XML, or serve backends alone, and every plugin imports this module on
every start."""

__all__ = [
    "API_VERSION",
    "Aimed",
    "AutoftError",
    "Backend",
    "Baselined",
    "BundledSource",
    "Batched",
    "Calibrated",
    "Choosing",
    "Classification",
    "Closed",
    "CocoFile",
    "CocoImage",
    "Counting",
    "Cover",
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
    "Keeping",
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
    "PathSource",
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
    "check_bundled",
    "class_metrics",
    "coco_files",
    "coco_root",
    "core_reader",
    "counted",
    "described",
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
    "json_object",
    "known_terms",
    "late",
    "listed",
    "measured",
    "missing_picture",
    "mel_filters",
    "missing_word",
    "natural",
    "near_file",
    "no_answers",
    "open_image",
    "padded",
    "part_word",
    "picture_meant",
    "pieces_together",
    "rarest",
    "read_coco",
    "read_drawn",
    "read_table",
    "read_xml",
    "read_yolo",
    "recording_lengths",
    "scheduled_rate",
    "split_word",
    "survey_mask",
    "survey_pieces",
    "shared_room",
    "shared_terms",
    "shown_again",
    "shuffled",
    "target_at",
    "terms",
    "text_lengths",
    "text_pair",
    "to_json",
    "to_plain",
    "to_predict",
    "unreachable",
    "usual_cepstra",
    "walk",
    "windows",
    "word_start",
    "yolo_sign",
    "COVERS",
    "FRAME_MASKS",
    "GREY",
    "IMAGE_COLUMNS",
    "LEAST_LEFT",
    "LIGHT",
    "MOVES",
    "PIECES",
    "TOKENS_HIDDEN",
    "WIDEST_MASK",
    "WORDS_DROPPED",
    "media_tables",
    "table_part",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'autoft.api' has no attribute '{name}'.{did_you_mean(name, __all__)}")
    module, attribute = _LATE[name]
    return getattr(importlib.import_module(module), attribute)
