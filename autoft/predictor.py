"""Uses a trained model: predicts new files and scores labelled ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft import artifact, registry, scoring
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

    def export(self, folder: Path) -> Sequence[str]:
        """Write the task's own kinds of files into `folder`; a word about each.

        Raises:
            UsageError: the task has none.
        """
        if not isinstance(self.task, Exporting):
            raise _no_export(self.task)
        folder.mkdir(parents=True, exist_ok=True)
        return self.task.export(self.decoded, self.samples, self.config.schema, folder)


def _no_export(task: Task) -> UsageError:
    return UsageError(
        f"predictions of {task.name} are one row for each file: a folder of files or --conf has no meaning for them.",
        "Name a table: --out preds.csv",
    )


class Predictor:
    """A model folder, opened. The weights are loaded on the first prediction."""

    def __init__(self, folder: Path | str, threads: int = 0) -> None:
        self.folder = Path(folder)
        self.config = artifact.read(self.folder)
        self._registry = registry.installed()
        self.task: Task = self._registry.get("task", self.config.task)
        self._threads = threads
        self._learner: Learner | None = None

    @property
    def learner(self) -> Learner:
        if self._learner is None:
            _, self._learner = artifact.load(self.folder, self._registry, self._threads)
        return self._learner

    def predict(self, sources: str | Path | Sequence[str | Path]) -> list[dict[str, Scalar]]:
        """One row per file found at `sources` (files or folders).

        Raises:
            DataError: nothing readable is there.
        """
        from autoft.pipeline.predict import predict_sources

        paths = [sources] if isinstance(sources, str | Path) else list(sources)
        return list(predict_sources(self, [str(p) for p in paths]).rows())

    def sure(self, decoded: Arrays, confidence: float | None) -> Arrays:
        """Predictions without those below `confidence`, where the task knows such a thing.

        Raises:
            UsageError: it does not, and a confidence is given.
        """
        if isinstance(self.task, Exporting):
            return self.task.above(decoded, self.config.schema, confidence)
        if confidence is not None:
            raise _no_export(self.task)
        return decoded

    def outputs(self, feed: Feed) -> Arrays:
        """Decoded predictions for a feed."""
        config = self.config
        return self._settled(scoring.decoded(self.task, self.learner, feed, config.schema, config.problem))

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
