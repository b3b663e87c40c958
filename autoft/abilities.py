"""What a task or a learner may be able to do beside `contracts.Task` and `contracts.Learner`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from autoft.contracts import Array, Arrays, Cuttable, Feed
from autoft.recipe import LEVELS
from autoft.records import Cut, Dataset, Sample, Schema

Piece = tuple[Arrays, Sequence[Sample]]
"""Decoded predictions of some samples, and these."""


@runtime_checkable
class Aimed(Protocol):
    """Ability of a task: what is kept with its models depends on the metric that a search goes by, as where another
    number than the mean is the best guess."""

    def aimed(self, schema: Schema, metric: str) -> Schema:
        """The schema of a search by this metric."""
        ...


@runtime_checkable
class Baselined(Protocol):
    """Ability of a task: a plain method without any network, that every search is measured against."""

    def plain(
        self, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
    ) -> tuple[str, Arrays]:
        """The method's name, and its predictions for `test` as `Task.decode` gives them.

        Called once, when the search is over. `train` is all that the search could learn from, validation included.

        Args:
            seconds: what is left of the user's time. A method that does less to keep within it says so in its name.

        Raises:
            TimeoutError: that is too little for anything.
        """
        ...


@runtime_checkable
class Batched(Protocol):
    """Ability of a learner: it tells how many samples it predicts at a time. Whoever asks for maps part by part then
    asks for whole batches: some learners fill up those that are not."""

    def at_a_time(self) -> int:
        """Samples in one batch of predictions, at least 1."""
        ...


def in_batches(learner: object, about: int, most: int) -> int:
    """Samples to predict together where about so many are meant: whole batches, or the most that may be held."""
    if not isinstance(learner, Batched):
        return about
    batch = max(1, learner.at_a_time())
    return min(most, max(batch, about // batch * batch))


@runtime_checkable
class Choosing(Protocol):
    """Ability of a learner: it chooses the precision when it is built, where the recipe leaves that open (`auto`).

    The trial's record and its model then have the word that was chosen.
    """

    def precision_chosen(self) -> str:
        """`fp32`, `bf16` or `fp16`: a recipe with this word builds the same learner, and nothing is open there. Empty
        where nothing was open, as with freeze=1: heads stand on features that all trials share."""
        ...


@runtime_checkable
class Counting(Protocol):
    """Ability of a task: its scores count several things in each sample, so that few samples may say enough."""

    def counts(self, dataset: Dataset) -> Sequence[int]:
        """How many things of each sample a score counts, such as the words of a transcript; at least 0."""
        ...


@runtime_checkable
class Joining(Protocol):
    """Ability of a task whose answers are told along a sample, as what is said in a recording: those for consecutive
    parts become one. Samples that are longer than what a network sees at once are then seen to their end."""

    def joined(self, decoded: Arrays, parts: Arrays, owners: Array, schema: Schema) -> Arrays:
        """`decoded` with the rows of samples that were seen in parts replaced by what the parts say, in their order.

        Args:
            decoded: one row per sample, as `Task.decode` gives them.
            parts: the same of parts, all of a sample's, the first one included. Arrays may have another width.
            owners: int64 (parts,), the row in `decoded` that each part belongs to; parts of one sample stand in order.
        """
        ...


@runtime_checkable
class Enlarging(Protocol):
    """Ability of a learner: its maps of indices (`argmax`) can be finer than the images of a feed. Edges of things are
    then as smooth as the maps, where indices that are stretched afterwards have steps."""

    def predict_at(self, feed: Feed, side: int) -> dict[str, Array]:
        """As `Learner.predict`, with maps of indices (n, side, side)."""
        ...


@runtime_checkable
class Inheriting(Protocol):
    """Ability of a learner: it can begin with what another has learned. Its backend's `abilities` name "inherit"."""

    def inherit(self, folder: Path) -> None:
        """Take over all weights, those of the head included, that `Learner.save` wrote for the same network, problem
        and image size; the recipe may differ in all that does not shape the network. Called before the first epoch.

        Raises:
            TrialFailed: they are of another network.
        """
        ...


@runtime_checkable
class Itemizing(Protocol):
    """Ability of a task: a prediction is a list of things, which a row of a table can count but not hold."""

    def items(self, decoded: Arrays, samples: Sequence[Sample], schema: Schema) -> Iterator[dict[str, Any]]:
        """For each sample what its row holds beside `Task.rows` in JSON and in Python: names that are no columns there,
        and lists of records of names, numbers and texts."""
        ...


@runtime_checkable
class Learning(Protocol):
    """Ability of a task: it decodes by what targets alone tell, such as which letters follow each other.

    `Task.schema` cannot learn that: it also sees what is validated on. Where a head is tried by cross-validation within
    the training part, the schema is without it.
    """

    def learn(self, targets: Arrays, schema: Schema) -> Schema:
        """The schema with what these targets tell, in `extra`; what else it holds stays.

        Called once in each trial, or in each of its folds, and before the final model is trained. The result is kept
        with the model, in its configuration, and not in the records of trials.

        Args:
            targets: of the samples that are trained on, as `Task.encode` gave them; no masks.
            schema: as `Task.schema` gave it; where a model is trained again, as `Calibrated.calibrate` left it.
        """
        ...


@runtime_checkable
class Leveled(Protocol):
    """Ability of a `Cuttable` learner: heads can stand on all levels of its network (`Recipe.pooling=levels`), not on
    the last features alone (Head2Toe: Evci et al., ICML 2022). Its backend's `abilities` name "levels"."""

    def levels(self) -> Cut | None:
        """Where the features of all levels stand, behind all blocks; None where heads need more than a vector. It is
        the last cut where the network shows no levels.

        The last features come first among them. `extract` takes it beside the others of `cuts`, which does not list
        it, whatever the recipe says; `enter` takes it with pooling=levels alone, and then nothing else: earlier levels
        are not there behind a cut.
        """
        ...


def stands_on(learner: Cuttable, pooling: str) -> Cut | None:
    """Where the features stand that a head sees which is pooled like this; None where there are none."""
    if pooling == LEVELS:
        return learner.levels() if isinstance(learner, Leveled) else None
    cuts = learner.cuts()
    return cuts[-1] if cuts and len(cuts[-1].shape) == 1 else None


@runtime_checkable
class Piecewise(Protocol):
    """Ability of an `Exporting` task: it writes its files part by part, so that no more than one part of the
    predictions is held at a time."""

    def export_parts(self, parts: Iterable[Piece], names: Sequence[str], schema: Schema, folder: Path) -> Sequence[str]:
        """As `Exporting.export`, of predictions that come part by part, each with its samples.

        Args:
            names: ids of all samples that may come. They need not be unique, but no file of one sample may take the
                place of another's.
        """
        ...


@runtime_checkable
class Placed(Protocol):
    """Ability of a learner: it tells where it computes, so that a GPU that its framework does not see is missed."""

    def on_gpu(self) -> bool:
        """Whether it computes on a GPU."""
        ...


@runtime_checkable
class Settling(Protocol):
    """Ability of a learner: behind an epoch it shows samples once more, without learning from them, as for statistics
    of images as they are. What that takes is planned for."""

    def settles(self) -> bool:
        """Whether it does so as it is trained now. Which samples it shows, `shown_again` says; a `Stop` that is an
        `Until` ends it earlier (`late`)."""
        ...
