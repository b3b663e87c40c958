"""The frozen, JSON-able records that plugins, trials and runs exchange: names and numbers only.

Everything that crosses a process border is one of these, never a live object: the worker rebuilds from
names. Encode with `to_json`, decode with `from_json`, which refuses fields it does not know.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from autoft import vocab
from autoft.datarecords import DataRef, Dataset, Decoding, Fold, Issue, Mask, ReadOptions, Sample, Shape, Splits
from autoft.errors import UsageError
from autoft.metric import Metric, Mode
from autoft.recipe import Recipe
from autoft.record import Record, from_dict, from_json, to_json, to_plain

__all__ = [
    "Caching",
    "Cut",
    "DataRef",
    "Dataset",
    "Decoding",
    "Entry",
    "EpochReport",
    "Fold",
    "from_dict",
    "from_json",
    "Issue",
    "Job",
    "Kind",
    "Mask",
    "Metric",
    "Mode",
    "ModelCard",
    "Output",
    "Param",
    "Problem",
    "ReadOptions",
    "Record",
    "Resources",
    "Sample",
    "Scalar",
    "Schema",
    "Shape",
    "Splits",
    "to_json",
    "to_plain",
    "trial_name",
    "TrialResult",
    "TrialSpec",
    "TrialStatus",
    "View",
]

Scalar = str | int | float | bool | None
Kind = Literal["task", "backend", "reader", "models", "searcher", "strategy", "command"]


class Entry(Record):
    """One thing that a plugin offers. `target` is imported only when the thing is used."""

    name: str
    target: str
    """Import string, `package._module:attribute`. Called without arguments, it gives the object."""
    summary: str = ""
    aliases: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    """Fields that a reader can give, empty for any: errors list those that could give what is asked for."""
    kind: str = ""
    """Filled in by the registry: which hook yielded it."""
    plugin: str = ""
    """Filled in by the registry: the distribution it came from."""


class Output(Record):
    """One output of a network: its shape, what it is trained on, and what is made of it."""

    name: str
    head: str
    size: int
    """Channels: classes, or 1 for a single number."""
    loss: str
    post: str
    target: str
    """Key of the encoded targets that the loss compares with."""
    weight: float = 1.0
    class_weights: tuple[float, ...] = ()
    """One factor per class in the loss, or empty for equal weights."""
    letters: tuple[str, ...] = ()
    """What each channel writes, where channels are characters; an empty word writes nothing."""
    most: int = 300
    """Boxes of one image that are given out, where the head is `boxes`."""

    def __post_init__(self) -> None:
        for kind in ("head", "loss", "post"):
            vocab.check(kind, getattr(self, kind))
        if self.letters and len(self.letters) != self.size:
            raise UsageError(f"letters must be one for each channel, but {len(self.letters)} are for {self.size}.")


class Problem(Record):
    """What must be learned, in the closed vocabulary: a task writes it, a backend reads it."""

    name: str
    inputs: tuple[str, ...]
    """Fields that the network takes in."""
    outputs: tuple[Output, ...]
    encoder: str = ""
    """Import string of a function that makes the arrays which the losses compare with (`contracts.Encoder`) out of what
    `Task.encode` gives. A backend calls it for each batch, after augmentation. Empty where `Task.encode` gives them."""

    def __post_init__(self) -> None:
        for field in self.inputs:
            vocab.check("field", field)


class Schema(Record):
    """What the data mean: fixed when a search starts and kept with the model."""

    task: str
    classes: tuple[str, ...] = ()
    extra: dict[str, Any] = {}
    """Whatever else the task must remember (colour map, target mean and deviation, characters)."""


class ModelCard(Record):
    """A pretrained network as data: all that core must know of it without importing its framework."""

    name: str
    backend: str
    modality: str
    heads: tuple[str, ...] = ("pooled",)
    """The outputs that a network can be made of it for."""
    native: tuple[str, ...] = ()
    """Those of `heads` that it brings, pretrained: only what hangs on classes is new. Its loss may be `native`."""
    params: int = 0
    """Parameters of the backbone; 0 when unknown."""
    macs: float = 0.0
    """Giga multiply-adds for one image at `input_size`; 0 when unknown."""
    prior: float = 0.0
    """Orders models, never shown: about the published top-1 accuracy on ImageNet-1k in percent; 0 when unknown."""
    input_size: int = 224
    """Side in pixels of the images it was trained on."""
    fixed_size: bool = False
    """Takes no other size than `input_size`."""
    min_size: int = 32
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    pretrained: bool = True
    counts: bool = False
    """Whether it learns from all samples before the first step (counts their words): what it gives is not kept."""
    fixed: bool = False
    """Whether its trunk has nothing to learn: heads alone are trained (`freeze` is 1), beside a preset's networks."""
    lr: float = 0.0
    """Peak rate of Adam for its pretrained blocks, where far below the usual one (transformers); 0 where it is not."""
    weights: str = ""
    """Where the weights are: a path, or an address such as `hub:owner/name`; empty trains from scratch."""
    folder: str = ""
    """Where on this machine the files lie that it needs beside its weights; it may hold any others."""
    files: tuple[str, ...] = ()
    """Those files, such as a tokenizer's, by their paths in `folder`: other machines are given copies. What is not
    there is not needed."""
    offline: bool = False
    """The weights are at hand without a download."""
    licence: str = ""
    source: str = ""
    summary: str = ""
    extra: dict[str, Any] = {}

    def __post_init__(self) -> None:
        vocab.check("modality", self.modality)
        for word in self.native:
            vocab.check("head", word)
            if word not in self.heads:
                raise UsageError(f"native heads must be among the heads, but {self.name} has '{word}' in native alone.")
        if not (math.isfinite(self.lr) and self.lr >= 0):
            raise UsageError(f"the learning rate of a card must be 0 or above, but {self.name} has {self.lr:g}.")

    @property
    def pace(self) -> float:
        """How many times as fast as the pretrained blocks a new head is learned: at the usual rate, where the card
        names a lower one for the blocks."""
        return Recipe().lr / self.lr if self.pretrained and self.lr else 1.0

    def native_for(self, problem: Problem) -> tuple[str, ...]:
        """The native heads that this problem asks for."""
        return tuple(output.head for output in problem.outputs if output.head in self.native)


class Resources(Record):
    """What one trial may use."""

    cpus: float = 1.0
    gpus: float = 0.0
    threads: int = 1


class Param(Record):
    """One searched or fixed parameter of the space: the key of a `Recipe` field, or a plugin's own."""

    key: str
    kind: Literal["choice", "float", "int"] = "choice"
    choices: tuple[Scalar, ...] = ()
    """A value listed twice is drawn twice as often; a grid counts it once."""
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    default: Scalar = None
    """The value in trial 0."""
    when: dict[str, tuple[Scalar, ...]] = {}
    """Searched only where each named parameter has one of these values; else the recipe's default holds."""
    summary: str = ""

    @property
    def fixed(self) -> bool:
        return len(self.choices) == 1 if self.kind == "choice" else self.low == self.high


class Cut(Record):
    """A place between two blocks of a network at which its frozen prefix can end."""

    depth: int
    """Blocks before it; the number of all blocks where it stands before the head."""
    shape: tuple[int, ...]
    """Of one sample's array there, in whatever layout the backend likes."""
    dtype: str = "float32"

    @property
    def bytes(self) -> int:
        """Of one sample."""
        return math.prod(self.shape) * (2 if self.dtype == "float16" else 4)


class View(Record):
    """One version of the samples: as they are, or augmented once and for all."""

    augment: str = "none"
    number: int = 0
    seed: int = 0
    """Draws depend on the policy's word, the number, the seed and the sample's place in the feed alone."""


class Job(Record):
    """What a backend builds a learner from: one network, one problem, one recipe."""

    card: ModelCard
    problem: Problem
    recipe: Recipe
    image_size: int = 0
    """Side in pixels that the network sees; 0 where the input is not an image."""
    seed: int = 0
    resources: Resources = Resources()
    steps_per_epoch: int = 0
    """Training steps in one epoch, for schedules; 0 when only predicting."""


class Caching(Record):
    """What trials may keep of their frozen prefixes, on the machine they run on."""

    freezes: tuple[float, ...]
    """Fractions of `Recipe.freeze` that trials of this search may have: one pass keeps what all of them need."""
    max_bytes: int
    """Most bytes on disk, for all that is kept there."""
    levels: bool = False
    """Whether trials may have heads on all levels (`abilities.Leveled`): the same pass keeps these features, too."""


class TrialSpec(Record):
    """Everything that a worker needs to run one trial."""

    api: str
    number: int
    task: str
    backend: str
    card: ModelCard
    problem: Problem
    schema: Schema
    recipe: Recipe
    data: DataRef
    metric: Metric
    seed: int
    folder: str
    """Where the trial keeps its best model."""
    resources: Resources = Resources()
    deadline: float = 0.0
    """Unix time at which training must have stopped; 0 is no limit."""
    allowance: float = 0.0
    """Seconds of training, at most: a trial plans fewer epochs where its recipe's do not fit. 0 is no limit."""
    versions: dict[str, str] = {}
    """Distribution -> version in the driver; a worker with another version refuses."""
    division: int = 0
    """0 trains and validates on the folds of the search, above 0 on `Splits.division`."""
    scored: int = 0
    """Of a training on everything: the division on whose validation samples it is scored."""
    caching: Caching | None = None
    """None computes frozen prefixes at every step, as if nothing were shared."""
    start: str = ""
    """Folder of a model of the same network and parts of the data, to begin with; empty takes the card's weights."""
    columns: dict[str, str] = {}
    """Field word -> column of the data's tables, as the user named them: the model remembers them for new tables."""
    guessed: dict[str, str] = {}
    """The same for all columns of the table that was read, also where the user named none."""
    names: dict[str, str] = {}
    """Number -> name of classes that were numbers in the data: the model remembers them for new data."""
    meaning: Mask | None = None
    """What the values of the data's mask files mean: the model remembers it for new masks."""

    @property
    def name(self) -> str:
        return trial_name(self.number)


TrialStatus = Literal["running", "finished", "stopped", "failed"]


class EpochReport(Record):
    """What one epoch gave."""

    epoch: int
    """Counted from 1."""
    score: float
    """What the epoch counts as: the chosen metric on validation, or near blank what stands in for it (`counted`)."""
    metrics: dict[str, float]
    """The chosen metric itself, and the one that may stand in for it."""
    train_loss: float
    seconds: float
    """Since the trial began, building included."""
    complete: bool = True
    """False when the deadline cut the epoch short."""
    planned: int = 0
    """Epochs that the trial now plans for, where its allowance made that fewer than the recipe's; else 0."""
    done: str = ""
    """Why the trial ended with this epoch; empty while it goes on."""
    combined: float | None = None
    """Where a head was solved: mean of `score` and of that by cross-validation on the training part, by their rows."""
    finer: float | None = None
    """What counts beside `score` (`Metric.finer`), where validation is small; of solved heads as `combined`."""
    build_seconds: float = 0.0
    """Imports, data and network, and what is planned once in the first epoch; not what the frozen blocks give."""
    traced_seconds: float = 0.0
    """The part of `build_seconds` that is planning of training steps, which a process that only predicts has not."""
    prefix_seconds: float = 0.0
    """To compute what frozen blocks give, or to wait for it, before the first epoch."""
    val_seconds: float = 0.0
    """Validation in this epoch, as it takes without a cache: the test part has none."""
    resample_seconds: float = 0.0
    """To score a resample of the validation part once, as the interval of a score does again and again."""
    prefix: str = ""
    """In the first epoch: which frozen prefix was taken from the cache, or why none was."""
    gpu_missed: bool = False
    """In the first epoch: the trial was given a GPU, but its framework computes on the CPU."""
    said: str = ""
    """What the learner has to say of the epoch."""
    precision: str = ""
    """What is computed in, where the recipe left that open and the learner chose (`abilities.Choosing`)."""


class TrialResult(Record):
    """How a trial ended. `score`, what its best epoch counts as, is None for a failed trial: that is no score."""

    number: int
    status: TrialStatus
    model: str
    backend: str
    recipe: Recipe
    score: float | None = None
    metrics: dict[str, float] = {}
    combined: float | None = None
    """That of its best epoch; see `EpochReport`."""
    finer: float | None = None
    """That of its best epoch, too."""
    best_epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""
    """Why it ended: epochs done, early stop, scheduler, deadline, or the first line of the error."""
    traceback: str = ""
    folder: str = ""
    """Folder of its best model; empty when none was kept."""
    start: str = ""
    """Folder of the trial whose model it began with; empty for the network's own weights."""
    seed: int | None = None
    """Of its draws: that of the search, or for a configuration that ran again a fresh one. None in older files."""
    division: int = 0
    """0 for the folds of the search, above 0 for another division: its score is then on other validation samples than
    those of the other trials."""
    history: tuple[EpochReport, ...] = ()
    """Every epoch that was reported, for learning curves."""
    ended: float = 0.0
    """Unix time at which it ended; 0 when not recorded."""

    @property
    def name(self) -> str:
        return trial_name(self.number)


def trial_name(number: int) -> str:
    return f"t{number:04d}"
