"""Uses a trained model: predicts new files and scores labelled ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autoft import artifact, registry, scoring
from autoft.abilities import Itemizing
from autoft.contracts import Array, Arrays, Calibrated, Exporting, Feed, Learner, Task
from autoft.errors import UsageError
from autoft.records import Issue, Sample, Scalar


class Predictions(NamedTuple):
    """Predictions for `ids`, one row each; what could not be read stands in `issues`."""

    ids: tuple[str, ...]
    decoded: Arrays
    task: Task
    config: artifact.Config
    issues: tuple[Issue, ...] = ()
    samples: tuple[Sample, ...] = ()
    """Those of `ids`."""

    def rows(self) -> Iterator[dict[str, Scalar]]:
        """Flat rows for a table: the file, the prediction, then details."""
        for name, row in zip(self.ids, self.task.rows(self.decoded, self.config.schema), strict=True):
            yield {"file": name, **row}

    def full_rows(self) -> Iterator[dict[str, Any]]:
        """The same with what no table holds, such as the boxes of a picture, where the task tells of such things."""
        if not isinstance(self.task, Itemizing):
            yield from self.rows()
            return
        more = self.task.items(self.decoded, self.samples, self.config.schema)
        for row, items in zip(self.rows(), more, strict=True):
            yield {**row, **items}

    def export(self, folder: Path) -> Sequence[str]:
        """Write the task's own kinds of files into `folder`; a word about each.

        Raises:
            UsageError: the task has none.
        """
        if not isinstance(self.task, Exporting):
            raise _no_export(self.task)
        folder.mkdir(parents=True, exist_ok=True)
        return self.task.export(self.decoded, self.samples, self.config.schema, folder)


def _words(sources: str | Path | Sequence[str | Path]) -> list[str]:
    return [str(one) for one in ([sources] if isinstance(sources, str | Path) else sources)]


def _no_export(task: Task) -> UsageError:
    return UsageError(
        f"predictions of {task.name} are one row for each file: a folder of files or --conf has no meaning for them.",
        "Name a table: --out preds.csv",
    )


class Predictor:
    """A model folder, opened. The weights are loaded on the first prediction.

    Args:
        threads: 0 takes all cores, or `OMP_NUM_THREADS`.
        cards: GPUs that it may use; -1 takes one, where this process sees one.
    """

    def __init__(self, folder: Path | str, threads: int = 0, cards: float = -1.0) -> None:
        self.folder = Path(folder)
        self.config = artifact.read(self.folder)
        self._registry = registry.installed()
        self.task: Task = self._registry.get("task", self.config.task)
        self._threads, self._cards = threads, cards
        self._learner: Learner | None = None

    @property
    def learner(self) -> Learner:
        if self._learner is None:
            _, self._learner = artifact.load(self.folder, self._registry, self._threads, self._cards)
        return self._learner

    def predict(
        self,
        sources: str | Path | Sequence[str | Path],
        *,
        out: str | Path = "",
        confidence: float | None = None,
    ) -> list[dict[str, Any]]:
        """One row per file found at `sources`: files, folders, tables, patterns such as `new/*.jpg`.

        `file` in a row is the file as it was named here, or its path below a folder; where there are several sources,
        with the source before it. What cannot be read is left out, and told by a Python warning.

        Args:
            out: folder for the task's own kinds of files, such as masks and pictures with boxes.
            confidence: leave out what is less sure, from 0 to 1; by default what was found on validation.

        Raises:
            DataError: nothing readable is there.
            UsageError: the task has no files of its own, or knows no confidence.
        """
        if not out:
            return list(self.stream(sources, confidence=confidence))
        from autoft.pipeline.predict import told_export

        return told_export(self, _words(sources), confidence, Path(out))

    def stream(
        self, sources: str | Path | Sequence[str | Path], *, confidence: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """The rows of `predict` one after another, so that those of many files need not be held together."""
        from autoft.pipeline.predict import told_rows

        return told_rows(self, _words(sources), confidence)

    def refuse(self, confidence: float | None) -> None:
        """
        Raises:
            UsageError: a confidence is given, but the task knows no such thing.
        """
        if confidence is not None:
            self.refuse_export()

    def refuse_export(self) -> Exporting:
        """The task, if it writes files of its own.

        Raises:
            UsageError: it does not.
        """
        if not isinstance(self.task, Exporting):
            raise _no_export(self.task)
        return self.task

    def sure(self, decoded: Arrays, confidence: float | None) -> Arrays:
        """Predictions without those below `confidence`, where the task knows such a thing.

        Raises:
            UsageError: it does not, and a confidence is given.
        """
        self.refuse(confidence)
        if isinstance(self.task, Exporting):
            return self.task.above(decoded, self.config.schema, confidence)
        return decoded

    def outputs(self, feed: Feed, side: int = 0) -> Arrays:
        """Decoded predictions for a feed; see `scoring.decoded`."""
        config = self.config
        return self._settled(scoring.decoded(self.task, self.learner, feed, config.schema, config.problem, side))

    def compared(self, feed: scoring.TruthFeed) -> tuple[dict[str, Array], dict[str, Array]]:
        """What the task scores: predictions for a feed and its targets."""
        config = self.config
        decoded, truth = scoring.compared(self.task, self.learner, feed, config.schema, config.problem)
        return dict(self._settled(decoded)), truth

    def _settled(self, decoded: Arrays) -> Arrays:
        return self.task.settled(decoded, self.config.schema) if isinstance(self.task, Calibrated) else decoded

    def targets(self, samples: Sequence[Sample]) -> Arrays:
        """Encoded targets of labelled samples."""
        return self.task.encode(samples, self.config.schema, self.config.problem)
