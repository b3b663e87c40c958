"""Predictions for new files with a trained model, in parts: those of many files need not fit into memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from autoft import evaluate, scoring
from autoft.abilities import Piecewise
from autoft.contracts import Array, Arrays
from autoft.data import forms
from autoft.data.feed import DecodedFeed
from autoft.data.forms import Form
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.pipeline import mapsides
from autoft.pipeline import sources as named
from autoft.predictor import Predictions, Predictor
from autoft.records import Issue, Sample
from autoft.report.issues import summarised
from autoft.run import model_folder

PART: Final = 4096
"""Samples that are predicted, written and forgotten together, where a network's outputs are a few numbers each."""
SMALL_PART: Final = 256
"""The same where they are maps, boxes or a course."""


class Prediction:
    """The predictions of one model for what the user named.

    Args:
        confidence: leave out what is less sure, where the task knows such a thing.

    Raises:
        UsageError: it does not.
        DataError: a source is not there, or nothing that can be predicted is in it.
    """

    def __init__(
        self,
        predictor: Predictor,
        sources: Sequence[str],
        columns: DataOptions | None = None,
        confidence: float | None = None,
    ) -> None:
        predictor.refuse(confidence)
        self.predictor, self.sources, self.confidence = predictor, sources, confidence
        found = named.find(predictor, sources, columns)
        self.samples = found.samples
        self.said = found.said
        """Which columns of tables were taken that are not those of the training data, for the user."""
        self.issues = list(found.issues)
        """What cannot be read; complete when all parts have been gone through."""
        self.done = 0
        """Predictions so far."""

    def parts(self, size: int = 0, *, finer: bool = False) -> Iterator[Predictions]:
        """Predictions for `size` samples at a time, or as many as memory should hold.

        Args:
            finer: maps of indices at about the pictures' own sides, see `mapsides.side`.

        Raises:
            DataError: not one file can be decoded.
        """
        pooled = scoring.is_pooled(self.predictor.config.problem)
        size = size or (PART if pooled else SMALL_PART)
        for first in range(0, len(self.samples), size):
            some = self.samples[first : first + size]
            side = mapsides.side(some, self.predictor.task.inputs[0]) if finer else 0
            kept, decoded, damaged = _predicted(self.predictor, some, side)
            self.issues += damaged
            self.done += len(kept)
            if kept:
                sure = self.predictor.sure(decoded, self.confidence)
                ids = tuple(sample.id for sample in kept)
                config = self.predictor.config
                yield Predictions(ids, sure, self.predictor.task, config, tuple(damaged), tuple(kept))
        if not self.done:
            where = ", ".join(self.sources)
            raise DataError(f"a prediction needs at least one readable file, but none is at {where}.", self._first())

    def rows(self, *, nested: bool = False) -> Iterator[dict[str, Any]]:
        """One row for each file; `nested` ones also hold lists, such as the boxes of a picture."""
        for part in self.parts():
            yield from part.full_rows() if nested else part.rows()

    def export(self, folder: Path, rows: list[dict[str, Any]] | None = None) -> Sequence[str]:
        """Write the task's own kinds of files into `folder`; a word about each.

        Args:
            rows: take up the rows as well.

        Raises:
            UsageError: the task has no files of its own.
        """
        task, schema = self.predictor.refuse_export(), self.predictor.config.schema
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(task, Piecewise):
            names = [sample.id for sample in self.samples]
            indexed = scoring.is_indexed(self.predictor.config.problem)
            size = mapsides.pictures(self.predictor.learner) if indexed else 0
            return task.export_parts(self._pieces(size, rows), names, schema, folder)
        ((decoded, samples),) = self._pieces(max(1, len(self.samples)), rows)
        return task.export(decoded, samples, schema, folder)

    def _pieces(self, size: int, rows: list[dict[str, Any]] | None) -> Iterator[tuple[Arrays, Sequence[Sample]]]:
        for part in self.parts(size, finer=scoring.is_indexed(self.predictor.config.problem)):
            if rows is not None:
                rows += part.full_rows()
            yield part.decoded, part.samples

    def _first(self) -> str:
        if not self.issues:
            return ""
        first = self.issues[0]
        return f"{len(self.issues)} could not be read; the first: {first.subject} ({first.detail})"


def predict(
    model: str,
    source: str,
    out: str = "runs",
    columns: DataOptions | None = None,
    confidence: float | None = None,
) -> Predictions:
    """Predictions of a run's best model, a model folder or `RUN:t0007` for the files at `source`, all in one.

    Args:
        columns: its names of columns, for tables; those that the model was trained on where it says none.

    Raises:
        UsageError: there is no such model.
        DataError: nothing readable is at `source`.
    """
    asked = Prediction(Predictor(model_folder(model, out)), [source], columns, confidence)
    (whole,) = asked.parts(max(1, len(asked.samples)))
    return whole._replace(issues=tuple(asked.issues))


def told_rows(predictor: Predictor, sources: Sequence[str], confidence: float | None) -> Iterator[dict[str, Any]]:
    """Rows one after another; what could not be read is a Python warning in the end."""
    asked = Prediction(predictor, sources, confidence=confidence)
    yield from asked.rows(nested=True)
    _warn(asked)


def told_export(
    predictor: Predictor, sources: Sequence[str], confidence: float | None, out: Path
) -> list[dict[str, Any]]:
    """The rows, when the task's own kinds of files were written into `out`; warnings as in `told_rows`."""
    predictor.refuse_export()
    asked = Prediction(predictor, sources, confidence=confidence)
    rows: list[dict[str, Any]] = []
    asked.export(out, rows)
    _warn(asked)
    return rows


def _warn(asked: Prediction) -> None:
    for sentence in summarised(tuple(asked.issues)):
        warnings.warn(f"no prediction: {sentence}", stacklevel=4)


def _predicted(
    predictor: Predictor, samples: Sequence[Sample], side: int = 0
) -> tuple[list[Sample], Arrays, list[Issue]]:
    """Predictions for those whose files decode, and the others as issues. Every file is decoded once."""
    feed = DecodedFeed(samples, inputs_of(predictor))
    decoded = predictor.outputs(feed, side)
    good, issues = sorted_out(feed, samples)
    return [samples[row] for row in good], evaluate.take(decoded, good), issues


def inputs_of(predictor: Predictor) -> list[Form]:
    """What its network takes in."""
    config = predictor.config
    return forms.inputs(predictor.task.inputs[0], [config.card.modality], config.decoding)


def sorted_out(feed: DecodedFeed, samples: Sequence[Sample]) -> tuple[Array, list[Issue]]:
    """Rows whose files decoded, and the others as issues."""
    good = np.array([row for row in range(len(samples)) if row not in feed.bad], np.int64)
    bad = sorted(feed.bad.items())
    return good, [Issue(kind=why.kind, subject=samples[row].id, detail=why.detail) for row, why in bad]
