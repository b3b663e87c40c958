"""What every search of texts is measured against: a linear model on TF-IDF weights, without any network.

Words and pairs of them where there are spaces (`_weights.py`), and these together with runs of characters within words
where that does better; else runs of up to three characters (Jones, 1972; Joachims, 1998). Of several texts also what
they share. Strength and reading are chosen by cross-validation on the training part, by the metric of the search, as
far as time allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from autoft.api import Metric, Sample, Schema, Task
from autoft_text._weights import Read, readings

Array = np.ndarray[Any, np.dtype[Any]]
Model = Any
"""Of scikit-learn."""
Decode = Callable[[Model, Any], dict[str, Array]]
"""Decoded predictions of a fitted model for weights, as the task's `decode` gives them."""

STRENGTHS = (10.0, 30.0, 3.0, 1.0, 0.3)
"""The likeliest for classes first, in case time is short. Ridge regression takes 10 divided by them."""
FOLDS = 3
PROBE = 8
"""The time of a fit is told by one on so small a part of the texts."""
FEW = 100
"""Rows that are fitted at once."""
MARGIN = 1.5
"""What a fit may take beyond what was told."""
DEARER = 4.0
"""What the second reading takes, in units of the first: it has more terms in each text."""
HALF = 0.5
"""The probability from which on a label is chosen."""
AIM = "aim"
"""Key of the metric's name in `Schema.extra`."""


class Problem(NamedTuple):
    """What is fitted, and how it is judged."""

    make: Callable[[float], Model]
    wanted: Array
    decode: Decode
    judge: Callable[[dict[str, Array], Array], float]
    """What decoded predictions for some rows are worth: more is better."""
    folds: list[tuple[Array, Array]]
    """Rows to fit on and rows to judge by; none where there are too few rows."""


class Aiming:
    """Part of a task, which makes it `Aimed`: the plain method goes by the metric of the search."""

    def aimed(self, schema: Schema, metric: str) -> Schema:
        return msgspec.structs.replace(schema, extra={**schema.extra, AIM: metric})


def aim(task: Task, schema: Schema) -> Metric:
    """The metric that the search goes by."""
    return next((metric for metric in task.metrics if metric.name == schema.extra.get(AIM)), task.metrics[0])


def classes(
    task: Task, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextClassification.decode` gives them.

    Raises:
        TimeoutError: see `_answer`.
    """
    from sklearn.model_selection import StratifiedKFold

    end = time.monotonic() + seconds
    labels = np.array([schema.classes.index(str(sample.fields["label"])) for sample in train])
    count = min(FOLDS, *np.bincount(labels)[np.unique(labels)].tolist())
    order = StratifiedKFold(count, shuffle=True, random_state=0).split(labels, labels) if count >= 2 else ()
    weights = "balanced" if aim(task, schema).alike else None

    def decode(fitted: Model, rows: Any) -> dict[str, Array]:
        chances = np.zeros((rows.shape[0], len(schema.classes)), np.float32)
        chances[:, fitted.classes_] = fitted.predict_proba(rows)
        return {"probability": chances, "index": chances.argmax(1).astype(np.int64)}

    problem = Problem(
        lambda c: _logistic(c, weights),
        labels,
        decode,
        _judge(task, schema, train),
        list(order),
    )
    words, decoded = _answer(problem, readings(train, test, len(schema.classes)), end)
    return f"logistic regression on {words}", decoded


def labels(
    task: Task, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextMultiLabel.decode` gives them.

    Raises:
        TimeoutError: see `_answer`.
    """
    end = time.monotonic() + seconds
    wanted = np.asarray(task.encode(train, schema, task.formulations(schema)[0])["labels"]) > 0

    def decode(fitted: Model, rows: Any) -> dict[str, Array]:
        chances = fitted.chances(rows)
        return {"probability": chances, "chosen": chances >= HALF}

    problem = Problem(
        lambda c: _ForEachLabel(lambda: _logistic(c)),
        wanted,
        decode,
        _judge(task, schema, train),
        _shuffled(len(train)),
    )
    words, decoded = _answer(problem, readings(train, test, len(schema.classes)), end)
    return f"logistic regression for each label on {words}", decoded


class _ForEachLabel:
    """A model for each label; one that all or none of the samples have is told as often as they have it."""

    def __init__(self, make: Callable[[], Model]) -> None:
        self.make = make

    def fit(self, seen: Any, wanted: Array) -> _ForEachLabel:
        self.often = wanted.mean(0)
        self.models = [self.make().fit(seen, own) if own.any() and not own.all() else None for own in wanted.T]
        return self

    def chances(self, rows: Any) -> Array:
        found = np.tile(self.often.astype(np.float32), (rows.shape[0], 1))
        for place, model in enumerate(self.models):
            if model is not None:
                found[:, place] = model.predict_proba(rows)[:, 1]
        return found


def numbers(
    task: Task, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextRegression.decode` gives them.

    Raises:
        TimeoutError: see `_answer`.
    """
    from sklearn.linear_model import Ridge

    end = time.monotonic() + seconds
    values = np.array([sample.fields["value"] for sample in train], np.float64)
    problem = Problem(
        lambda strength: Ridge(alpha=10 / strength),
        values,
        lambda fitted, rows: {"value": np.asarray(fitted.predict(rows), np.float64)},
        _judge(task, schema, train),
        _shuffled(len(train)),
    )
    words, decoded = _answer(problem, readings(train, test, 1), end)
    return f"ridge regression on {words}", decoded


def _logistic(strength: float, weights: str | None = None) -> Model:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=500, tol=1e-3, class_weight=weights)


def _shuffled(count: int) -> list[tuple[Array, Array]]:
    """Folds of so many rows, whatever is wanted of them."""
    from sklearn.model_selection import KFold

    return list(KFold(max(2, min(FOLDS, count // 2)), shuffle=True, random_state=0).split(np.zeros(count)))


def _judge(task: Task, schema: Schema, train: Sequence[Sample]) -> Callable[[dict[str, Array], Array], float]:
    """By the metric of the search; what it does not apply to is worth less than all else."""
    metric, targets = aim(task, schema), task.encode(train, schema, task.formulations(schema)[0])

    def judge(decoded: dict[str, Array], rows: Array) -> float:
        truth = {key: np.asarray(values)[rows] for key, values in targets.items()}
        value = metric.sign * task.score(decoded, truth, schema, [metric.name])[metric.name]
        return value if np.isfinite(value) else -np.inf

    return judge


class _Clock:
    """Whether there is time for more fits."""

    def __init__(self, end: float, told: float) -> None:
        self.end, self.told = end, told
        self.taken: list[float] = []

    def fits(self, count: float, before: float = 0.0) -> bool:
        """So many fits, and some seconds before them."""
        return time.monotonic() + MARGIN * (before + max(self.taken, default=self.told) * count) <= self.end

    def judged(self, problem: Problem, seen: Any, strength: float) -> float | None:
        """The mean over the folds; None where time is short."""
        found: list[float] = []
        for inside, outside in problem.folds:
            # What is told is coarse: once a fit was timed, all that this strength needs must fit, and the last one.
            if not self.fits(len(problem.folds) - len(found) + 2 if self.taken else 2):
                return None
            began = time.monotonic()
            fitted = problem.make(strength).fit(seen[inside], problem.wanted[inside])
            found.append(problem.judge(problem.decode(fitted, seen[outside]), outside))
            self.taken.append(time.monotonic() - began)
        return float(np.mean(found))


def _answer(problem: Problem, reads: Iterator[Callable[[], Read]], end: float) -> tuple[str, dict[str, Array]]:
    """What was read, with what was left out to end in time, and the predictions of the model that does best by
    cross-validation.

    Raises:
        TimeoutError: there is no time for a single fit.
    """
    began = time.monotonic()
    read = next(reads)()
    reading = time.monotonic() - began
    clock = _Clock(end, _told(problem, read.seen))
    scores = _strengths(problem, clock, read.seen, STRENGTHS)
    if not scores and not clock.fits(1):
        raise TimeoutError(f"no time was left: a fit takes about {clock.told:.0f} s")
    best = max(scores, key=lambda strength: scores[strength]) if scores else STRENGTHS[0]
    tried = f"{len(scores)} of {len(STRENGTHS)} strengths" if scores else "its strength was not chosen"
    short = bool(problem.folds) and len(scores) < len(STRENGTHS)
    for more in reads:
        near = _near(best)
        if short or not scores or not clock.fits(DEARER * (len(near) * len(problem.folds) + 1), DEARER * reading):
            break
        other, clock.taken = more(), [DEARER * max(clock.taken)]
        found = _strengths(problem, clock, other.seen, near)
        if found and max(found.values()) > scores[best]:
            read, best = other, max(found, key=lambda strength: found[strength])
    fitted = problem.make(best).fit(read.seen, problem.wanted)
    cut = f" (cut short to end in time: {tried})" if short else ""
    return f"{read.words}{cut}", problem.decode(fitted, read.asked)


def _strengths(problem: Problem, clock: _Clock, seen: Any, strengths: Iterable[float]) -> dict[float, float]:
    """What each is worth, as far as time allows."""
    scores: dict[float, float] = {}
    for strength in strengths if problem.folds else ():
        if (value := clock.judged(problem, seen, strength)) is None:
            break
        scores[strength] = value
    return scores


def _near(best: float) -> list[float]:
    """This strength and its neighbours."""
    ordered = sorted(STRENGTHS)
    place = ordered.index(best)
    return [best, *ordered[max(0, place - 1) : place], *ordered[place + 1 : place + 2]]


def _told(problem: Problem, seen: Any) -> float:
    """Seconds that one fit may take, by one on few rows, which costs more than its share; 0 where all are few."""
    rows = np.arange(0, len(problem.wanted), PROBE)
    if len(rows) < FEW or len(np.unique(problem.wanted[rows])) < 2:
        return 0.0
    problem.make(STRENGTHS[0]).fit(seen[rows], problem.wanted[rows])  # the first one loads libraries
    began = time.monotonic()
    problem.make(STRENGTHS[0]).fit(seen[rows], problem.wanted[rows])
    return PROBE / 2 * (time.monotonic() - began)
