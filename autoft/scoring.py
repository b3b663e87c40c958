"""From a learner's outputs to what a task scores, in parts where outputs are maps: those of a whole set need not fit
into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np

from autoft.contracts import Array, Arrays, Calibrated, Feed, Learner, Tallying, Task
from autoft.records import Problem, Schema, TrialSpec

ROWS: Final = 64
"""Samples whose maps are held at a time."""


class TruthFeed(Feed, Protocol):
    """A feed that also knows what predictions are compared with."""

    def truth(self, index: Array) -> dict[str, Array]: ...


class Judged(NamedTuple):
    """What predictions for a validation part are worth."""

    score: float
    schema: Schema
    """With what the task has set by them, where it sets anything."""


def judged(task: Task, outputs: Arrays, targets: Arrays, spec: TrialSpec, schema: Schema | None = None) -> Judged:
    """The metric of a trial, of outputs for the whole sample after `Output.post`, and encoded targets.

    Args:
        schema: what a `Calibrated` task has set by other rows; without it, it is set by these.
    """
    return worth(task, task.decode(outputs, spec.schema, spec.problem), targets, spec, schema)


def worth(task: Task, decoded: Arrays, targets: Arrays, spec: TrialSpec, schema: Schema | None = None) -> Judged:
    """The same of decoded predictions, or of the tallies of a task that tallies."""
    if isinstance(task, Calibrated):
        schema = schema or task.calibrate(decoded, targets, spec.schema)
        decoded = task.settled(decoded, schema)
    name = spec.metric.name
    return Judged(task.score(decoded, targets, spec.schema, [name])[name], schema or spec.schema)


class _Part:
    """Some rows of another feed."""

    def __init__(self, feed: Feed, index: Array) -> None:
        self.feed, self.index = feed, index

    def __len__(self) -> int:
        return len(self.index)

    def batch(self, index: Array) -> dict[str, Array]:
        return self.feed.batch(self.index[index])


def is_pooled(problem: Problem) -> bool:
    """Whether all outputs are for the whole sample."""
    return all(output.head == "pooled" for output in problem.outputs)


def is_dense(problem: Problem) -> bool:
    return any(output.head == "dense" for output in problem.outputs)


def decoded(task: Task, learner: Learner, feed: Feed, schema: Schema, problem: Problem) -> dict[str, Array]:
    """`Task.decode` of the predictions for all rows."""
    if not is_dense(problem):
        return dict(task.decode(learner.predict(feed), schema, problem))
    return _joined([dict(part) for _, part in _parts(task, learner, feed, schema, problem)])


def compared(
    task: Task, learner: Learner, feed: TruthFeed, schema: Schema, problem: Problem
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What `Task.score` takes, row by row: decoded predictions and their targets; for a task that tallies, its tallies
    and no targets."""
    if not is_dense(problem):
        everything = np.arange(len(feed))
        return dict(task.decode(learner.predict(feed), schema, problem)), feed.truth(everything)
    found, truths = [], []
    for index, part in _parts(task, learner, feed, schema, problem):
        truth = feed.truth(index)
        if isinstance(task, Tallying):
            found.append(dict(task.tally(part, truth, schema)))
        else:
            found.append(dict(part))
            truths.append(truth)
    return _joined(found), _joined(truths)


def _parts(
    task: Task, learner: Learner, feed: Feed, schema: Schema, problem: Problem
) -> Iterator[tuple[Array, Arrays]]:
    for first in range(0, max(1, len(feed)), ROWS):
        index = np.arange(first, min(first + ROWS, len(feed)))
        yield index, task.decode(learner.predict(_Part(feed, index)), schema, problem)


def _joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}
