"""The Protocols between core and plugins, which meet at a numpy batch (`Feed`) and at a `Problem` written in the closed
vocabulary. A plugin's classes need not inherit from them: having the attributes and methods is enough, and the kits in
`autoft.testing` check that they behave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from autoft.records import (
    Cut,
    Dataset,
    Job,
    Metric,
    ModelCard,
    Output,
    Param,
    Problem,
    ReadOptions,
    Sample,
    Scalar,
    Schema,
    View,
)

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]
    Arrays = Mapping[str, Array]
else:
    # Plugins import these names at run time; numpy itself must not be loaded for them.
    Array = Any
    Arrays = Mapping[str, Any]

Stop = Callable[[], bool]


class EpochStats(NamedTuple):
    """What `Learner.train_epoch` gives back."""

    loss: float
    """Mean training loss over the samples seen, penalties left out."""
    steps: int
    complete: bool
    """False when `stop` ended the epoch early."""
    said: str = ""
    """What the user should know of it; of a search, the first is told."""
    tracing: float = 0.0
    """Seconds of it in which a framework planned its steps, as it does once: no later epoch takes them."""


@runtime_checkable
class Reader(Protocol):
    """Turns a folder, a file or a dataset id into samples with named fields."""

    name: str

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is in this format, or an empty string if it is not. Opens little."""
        ...

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """All samples. Bad rows become issues, not exceptions.

        Raises:
            DataError: nothing usable is there, or the columns cannot be told.
        """
        ...


@runtime_checkable
class Task(Protocol):
    """Owns the meaning of data: classes, encoding, decoding, metrics. Numpy only.

    A task may have an attribute `modules`, names of slow modules that `score` imports: a search loads them meanwhile.
    """

    name: str
    modality: str
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    metrics: tuple[Metric, ...]
    """The first one is the default."""

    def schema(self, dataset: Dataset) -> Schema:
        """What the targets mean.

        Raises:
            DataError: the targets cannot be learned from (one class, no numbers, ...).
        """
        ...

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """One word per sample; splits keep the proportion of each."""
        ...

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """Ways to pose the problem to a network, best first."""
        ...

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """Encoded targets by `Output.target`, each with one row per sample. Not `mask`, which the store holds.

        For cross_entropy int64 (n,); for binary_cross_entropy and regression float32 (n, size). With a
        `Problem.encoder` it is what that takes, such as `boxes` float32 (n, m, 5), empty rows filled with -1.
        """
        ...

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """Predictions in the task's own form, from outputs after `Output.post`; one row per sample."""
        ...

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """The named metrics. One that does not apply to these rows is NaN."""
        ...

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """One flat row per sample for a table: `prediction`, then details."""
        ...


@runtime_checkable
class Tallying(Protocol):
    """Ability of a task whose predictions are maps: a few numbers of each sample say all that its metrics need.

    Predictions and masks are then looked at part by part, and a resample of the score's interval costs next to nothing.
    """

    def tally(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Arrays:
        """Numbers from which `Task.score(tallies, {}, ...)` computes every metric; one row per sample.

        Args:
            targets: what `Task.encode` gave, and `mask` (n, size, size) as `vocab.IGNORED` says.
        """
        ...


@runtime_checkable
class Detailed(Protocol):
    """Ability of a task: scores that exist for these data alone, such as one for each class. Nothing rests on them."""

    def details(self, decoded: Arrays, targets: Arrays, schema: Schema) -> dict[str, float]:
        """Named numbers, shown beside the metrics. `decoded` and `targets` are what `Task.score` takes."""
        ...


@runtime_checkable
class Exporting(Protocol):
    """Ability of a task: its predictions become files of their own, where one row per sample says too little."""

    def above(self, decoded: Arrays, schema: Schema, confidence: float | None) -> Arrays:
        """The predictions without the less sure ones; None takes what the schema says, else the task's default."""
        ...

    def export(self, decoded: Arrays, samples: Sequence[Sample], schema: Schema, folder: Path) -> Sequence[str]:
        """Write files into `folder`, which exists; gives back a word about each kind for the user."""
        ...


@runtime_checkable
class Calibrated(Protocol):
    """Ability of a task: something about its predictions is set on validation, and kept with each model.

    Where outputs are maps, not together with `Tallying`.
    """

    def calibrate(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Schema:
        """The schema with what was found, as named numbers in `extra["calibrated"]`, which summaries show.

        Called with a model's predictions on its validation part, as `Task.decode` gives them.
        """
        ...

    def settled(self, decoded: Arrays, schema: Schema) -> Arrays:
        """Predictions as what was found has them; the task's defaults where nothing was. `Task.decode` leaves in what
        `calibrate` may choose from; scores, tables and files are made of what is settled."""
        ...


class Encoder(Protocol):
    """What `Problem.encoder` names: a pure numpy function of a task's package.

    It is needed where a target is a place in the image: augmentation moves places, and what a loss compares with
    follows from them afterwards.
    """

    def __call__(self, targets: Arrays, height: int, width: int, problem: Problem) -> dict[str, Array]:
        """Arrays by `Output.target` for a batch: for a dense head float32 (n, height, width, size), NaN where nothing
        is to be learned.

        Args:
            targets: rows of what `Task.encode` gave, moved with the images. Under `boxes` a backend moves the columns
                x1, y1, x2, y2 (fractions of the sides) of float32 (n, m, 4 or more) rows that have an area, and fills
                those with -1 of which nothing is left in the image. Where too little is left, the class c in the fifth
                column becomes `vocab.UNTAUGHT - c`. Networks that compare with boxes themselves are shown grey there.
            height, width: of the dense maps: a quarter of the image's sides, rounded up.
        """
        ...


class Feed(Protocol):
    """Samples as arrays, shared by all trials. Indexing it copies only the rows asked for."""

    def __len__(self) -> int: ...

    def batch(self, index: Array) -> dict[str, Array]:
        """Inputs by field and targets by key for these rows (int64 (n,), counted within this feed).

        Inputs stand under the modality of the network (`ModelCard.modality`), whatever field of the sample they come
        from: `image` is uint8 (n, height, width, 3), of a recording its log-mel spectrogram; `audio` is int16
        (n, samples), 16,000 of them per second, zero behind a recording's end, with `length` int64 (n,), the samples
        before it; `text` is object (n,), a tuple of str each. `mask` is uint8 or uint16 (n, height, width), see
        `vocab.IGNORED`.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """One network with its head, optimizer and schedule."""

    def blocks(self) -> Sequence[str]:
        """Names of the parts that can be frozen, from input to output, the head not included."""
        ...

    def arrays(self) -> Mapping[str, Arrays]:
        """Copies of all arrays by block (`head` last), normalisation statistics included."""
        ...

    def trainable(self) -> int:
        """Number of parameters that training changes."""
        ...

    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        """One pass in an order drawn from (seed, epoch). `epoch` counts from 1; `stop` is asked every step.

        So that a head alone can be trained beside others to the same end (`autoft.bank`), the order is that of numpy's
        `default_rng((seed, epoch))`: one integer below 2**62, the seed of whatever else is drawn; a permutation of the
        rows; `array_split` of it into as few batches as `batch_size` allows.

        Raises:
            TrialFailed: the loss is not finite.
        """
        ...

    def predict(self, feed: Feed) -> dict[str, Array]:
        """Outputs by name, after `Output.post`, float32 (argmax: uint8 or uint16), one row per sample, in order."""
        ...

    def save(self, folder: Path) -> None:
        """Write the weights, as `model.safetensors` or the framework's own safe format."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """Ability of a learner: its whole training state can be kept and taken up again."""

    def save_state(self, folder: Path) -> None: ...

    def load_state(self, folder: Path) -> None: ...


@runtime_checkable
class Reschedulable(Protocol):
    """Ability of a learner: its schedule can be made shorter or longer between two steps."""

    def set_epochs(self, epochs: float) -> None:
        """The rate goes on as if `epochs` in all, maybe no whole number, had been planned. A `Stop` may call it."""
        ...


@runtime_checkable
class Cuttable(Protocol):
    """Ability of a learner: what its frozen blocks give is computed once, kept, and shared by many trials.

    What stands before a cut must be a pure function of the sample: frozen blocks are in evaluation mode, in training
    too.
    """

    def cuts(self) -> Sequence[Cut]:
        """Where the network can be cut, by depth: only where one array is all that later blocks need of earlier ones.
        The last one, before the head, gives pooled features (n, width) where the heads are pooled."""
        ...

    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        """What stands at each of `cuts`, for all samples of the feed in order: one pass, batch by batch, one array
        per cut with one row per sample of the batch."""
        ...

    def enter(self, cut: Cut | None) -> None:
        """From now on feeds give `vocab.ACTIVATION`, rows of what `extract` gave at `cut`, in place of the inputs.
        None goes back to the inputs.

        Raises:
            ValueError: blocks before the cut are not frozen.
        """
        ...

    def set_head(self, values: Mapping[str, tuple[Array, Array]]) -> None:
        """Fill in linear heads: output name -> weights (size, width) and bias (size,) for pooled features.

        Raises:
            ValueError: the head is not linear, or has another shape.
        """
        ...


@runtime_checkable
class Backend(Protocol):
    """Owns arrays and gradients. Importing its module must not import the framework.

    A backend may have an attribute `abilities`, words that tell of its learners without building one: "cut" says that
    they are `Cuttable` for images, "features" that pretrained ones for texts and recordings give their pooled features
    in that way, "inherit" that they are `abilities.Inheriting`.
    """

    name: str
    distributions: tuple[str, ...]
    """Python distributions whose versions decide what a trial does, e.g. ("torch", "timm")."""

    def supports(self, problem: Problem, card: ModelCard) -> str:
        """Empty if this network can be trained on this problem, else the reason why not. Never raises."""
        ...

    def build(self, job: Job) -> Learner:
        """A learner ready for epoch 1, pretrained weights loaded, head new, frozen by `recipe.freeze`. The head learns
        at `card.pace` times the recipe's rate."""
        ...

    def load(self, job: Job, folder: Path) -> Learner:
        """A learner that predicts with the weights that `Learner.save` wrote. Needs no network access. Where the device
        cannot compute in the recipe's precision, it predicts in fp32; `build` refuses that."""
        ...

    def loss(self, output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
        """The loss of raw outputs, as training would compute it; for the contract kit."""
        ...


@runtime_checkable
class Forkable(Protocol):
    """Ability of a backend: its processes may be forks of one that has imported these modules and computed nothing."""

    def modules(self, card: ModelCard) -> Sequence[str]:
        """What training this network imports, the slowest first."""
        ...


@runtime_checkable
class ModelSource(Protocol):
    """Knows a family of pretrained networks without importing their library."""

    prefix: str
    """What stands before the slash in the names of its models."""

    def catalogue(self) -> Sequence[ModelCard]:
        """The models worth listing. Reads files, imports no framework, opens no connection."""
        ...

    def resolve(self, name: str) -> ModelCard | None:
        """The card of a name or local path, or None if it is not one of this source.

        Raises:
            UsageError: it is of this source, but wrong; the message names the nearest right one.
        """
        ...

    def reachable(self) -> str:
        """Empty if weights can be downloaded now, else the reason in words. Answers within seconds."""
        ...

    def fetch(self, card: ModelCard) -> ModelCard:
        """The card with its weights on this machine.

        Raises:
            UsageError: they are not at hand and cannot be brought.
        """
        ...


class Searcher(Protocol):
    """Proposes configurations. Told scores as trials end; never sees a failed trial's score."""

    def ask(self, number: int) -> dict[str, Any] | None:
        """Parameters of trial `number`, or None when there is nothing left to try."""
        ...

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        """Trial `number` ended: best score (None if it failed), and the score of each epoch."""
        ...


class SearcherPlugin(Protocol):
    """What a `searcher` entry's target gives: makes a searcher for one search."""

    def start(self, space: Sequence[Param], mode: str, seed: int) -> Searcher: ...
