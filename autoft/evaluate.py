"""Scores on data the search never saw, with what can be said about their uncertainty."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from autoft import exact, shelf
from autoft.contracts import Array, Arrays, Detailed, Task
from autoft.data import forms
from autoft.data.feed import WholeFeed
from autoft.data.longer import MOST_SPOKEN
from autoft.predictor import Predictor
from autoft.records import DataRef, Decoding, Metric, Record, Schema, from_json
from autoft.trialdata import feed_of, open_data

CONFIDENCE = 0.95
RESAMPLES = 1000
ENOUGH = 200
"""Resamples that a slow metric gets as well, where there is time."""
FEWEST = 50
"""Resamples that are made however late it is: fewer have no tails to speak of."""
ANSWERS = ("decoded", "targets")
"""What `write_test` leaves, by file."""
ALIKE = 1e-9
"""Part of a score by which resamples may differ through rounding alone."""
SECONDS = 3.0
"""Time that one bootstrap takes for more than `ENOUGH` resamples."""


class Interval(Record):
    """A percentile bootstrap interval (Efron, 1979), or an exact one where no resample differs from another."""

    low: float
    """NaN where there is none."""
    high: float
    resamples: int
    note: str = ""
    """What must be said of it: that it is exact, or why there is none."""

    @property
    def bounds(self) -> list[float] | None:
        """Both ends, as summaries have them."""
        return None if math.isnan(self.low) else [self.low, self.high]


class Comparison(Record):
    """Gain of one model over another on the same samples."""

    gain: float
    interval: Interval
    significant: bool
    verdict: str


def predict_test(
    folder: str, ref: DataRef, ids: tuple[str, ...], threads: int = 0, cards: float = -1.0, files: bool = True
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What the task scores: decoded predictions of the model in `folder`, which may be an address, for these samples,
    and their targets. `threads` and `cards` as `Predictor` takes them. Without `files`, which other machines may not
    have, long recordings are heard as far as the store keeps them."""
    with shelf.at_hand(folder) as model:
        predictor = Predictor(model, threads, cards)
        config = predictor.config
        feed, _ = feed_of(ref, ids, predictor.task, config.schema, config.problem, config.card.modality)
        if files and heard_in_parts(config.decoding):
            inputs = forms.inputs(predictor.task.inputs[0], [config.card.modality], config.decoding)
            feed = WholeFeed(feed, [open_data(ref).samples[name][1] for name in ids], inputs)
        return predictor.compared(feed)


def heard_in_parts(decoding: Decoding) -> bool:
    """Whether samples of the search may be longer than what its store keeps: where parts are joined, it keeps all of
    the longest, up to a limit."""
    return decoding.windows > 1 or (not decoding.windows and decoding.seconds >= MOST_SPOKEN)


FEW_GROUPS = 5
"""Draws of fewer groups than these say nothing of others."""


class ScoreJob(Record):
    """Asks another process for `predict_test`, with its arguments."""

    folder: str
    ref: DataRef
    ids: tuple[str, ...]
    threads: int
    cards: float
    files: bool
    out: str
    """Folder for `decoded.npz` and `targets.npz`."""


def write_test(payload: str) -> None:
    """Do a `ScoreJob`."""
    job = from_json(payload, ScoreJob)
    found = predict_test(job.folder, job.ref, job.ids, job.threads, job.cards, job.files)
    for name, arrays in zip(ANSWERS, found, strict=True):
        np.savez(Path(job.out) / f"{name}.npz", allow_pickle=False, **arrays)


def read_test(job: ScoreJob) -> tuple[dict[str, Array], dict[str, Array]]:
    """What `write_test` has written."""
    found = []
    for name in ANSWERS:
        with np.load(Path(job.out) / f"{name}.npz", allow_pickle=False) as arrays:
            found.append(dict(arrays))
    return found[0], found[1]


def all_metrics(task: Task, decoded: Arrays, targets: Arrays, schema: Schema) -> dict[str, float | None]:
    """Every metric of the task, then its details; None where one does not apply (JSON knows no NaN)."""
    scores = task.score(decoded, targets, schema, [metric.name for metric in task.metrics])
    if isinstance(task, Detailed):
        scores |= task.details(decoded, targets, schema)
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}


def interval(
    task: Task,
    decoded: Arrays,
    targets: Arrays,
    schema: Schema,
    metric: Metric,
    seed: int,
    groups: Sequence[str] = (),
    seconds: float = math.inf,
) -> Interval:
    """How far the score would move with another test sample of the same size.

    Args:
        groups: of each row, such as its speaker or patient, or an empty word. Rows of one group are alike, so they are
            drawn together (the cluster bootstrap).
        seconds: until it should be done. Only `FEWEST` resamples take longer.
    """

    def score(rows: Array) -> float:
        return _score(task, take(decoded, rows), take(targets, rows), schema, metric)

    units = _units(groups, _length(decoded))
    return _wide(_bootstrap(score, units, seed, seconds), units, exact.share if metric.share else None)


def compare(
    task: Task,
    decoded: Arrays,
    baseline: Arrays,
    targets: Arrays,
    schema: Schema,
    metric: Metric,
    seed: int,
    groups: Sequence[str] = (),
    seconds: float = math.inf,
    rival: str = "the baseline",
) -> Comparison:
    """Paired bootstrap of the difference: both models are scored on the same resamples.

    A gain is called significant when the interval leaves out 0. `groups` and `seconds` as in `interval`; `rival` is
    what the other model is called.
    """

    def gain(rows: Array) -> float:
        truth = take(targets, rows)
        best = _score(task, take(decoded, rows), truth, schema, metric)
        return metric.sign * (best - _score(task, take(baseline, rows), truth, schema, metric))

    everything = np.arange(_length(decoded))
    difference = gain(everything)
    units = _units(groups, len(everything))
    band = _wide(_bootstrap(gain, units, seed, seconds), units, exact.gain if metric.share else None)
    significant = band.low > 0 or band.high < 0
    return Comparison(
        gain=difference, interval=band, significant=significant, verdict=_verdict(difference, band, metric, rival)
    )


def _verdict(gain: float, band: Interval, metric: Metric, rival: str) -> str:
    scale, unit = (100.0, " points") if metric.percent else (1.0, "")
    size = f"{abs(gain) * scale:.3g}{unit} of {metric.name.replace('_', ' ')}"
    ends = f"{CONFIDENCE:.0%} interval {band.low * scale + 0.0:+.3g} to {band.high * scale + 0.0:+.3g}"
    sure = f"({'; '.join(part for part in (ends if band.bounds else '', band.note) if part)})"
    if math.isnan(gain) or not (band.bounds or band.note):
        return f"{metric.name.replace('_', ' ')} does not apply to these samples, so the models cannot be compared"
    if band.low > 0:
        return f"better than {rival} by {size} {sure}: significant"
    if band.high < 0:
        return f"worse than {rival} by {size} {sure}: significant; use {rival}, or search longer"
    if gain == 0:
        return f"no gain over {rival} {sure}"
    way = "better" if gain > 0 else "worse"
    return f"{way} than {rival} by {size} {sure}: not significant"


def few_groups(groups: Sequence[str]) -> int:
    """How many groups there are, where they are too few for an interval; else 0."""
    found = len(_grouped(groups)) if any(groups) else 0
    return found if found < FEW_GROUPS else 0


def _grouped(groups: Sequence[str]) -> list[Array]:
    """The rows of each group; one that names none is a group of its own."""
    found: dict[object, list[int]] = {}
    for row, group in enumerate(groups):
        found.setdefault(group or row, []).append(row)
    return [np.array(rows) for rows in found.values()]


def _units(groups: Sequence[str], n: int) -> list[Array]:
    """The rows that are drawn together: those of a group; single ones where groups are too few to tell anything."""
    if few_groups(groups) or not any(groups):
        return [np.array([row]) for row in range(n)]
    return _grouped(groups)


def _wide(band: Interval, units: Sequence[Array], exactly: Callable[..., exact.Band | None] | None) -> Interval:
    """The interval, unless no resample differs: then the exact one, by the number of samples or groups that are drawn,
    or none at all. That the samples at hand are alike does not say that all others are."""
    if math.isnan(band.low) or band.high - band.low > ALIKE * max(1.0, abs(band.low)):
        return band
    drawn = f"{len(units):,} {'samples' if all(len(unit) == 1 for unit in units) else 'groups'}"
    ends = exactly(band.low, len(units), (1 - CONFIDENCE) / 2) if exactly else None
    note = f"exact, as all {drawn} say the same" if ends else f"no interval: too few of these {drawn} differ"
    low, high = ends or (math.nan, math.nan)
    return Interval(low=low, high=high, resamples=band.resamples, note=note)


def _bootstrap(score: Callable[[Array], float], units: Sequence[Array], seed: int, seconds: float) -> Interval:
    n, single = len(units), all(len(unit) == 1 for unit in units)
    rng = np.random.default_rng(seed)
    values: list[float] = []
    began = time.monotonic()
    while n and len(values) < RESAMPLES:
        # The one clock keeps the user's time, the other does not make a search longer than what it tells is worth.
        limit = math.inf if len(values) < FEWEST else seconds if len(values) < ENOUGH else min(seconds, SECONDS)
        if time.monotonic() - began >= limit:
            break
        drawn = rng.integers(0, n, n)
        values.append(score(drawn if single else np.concatenate([units[unit] for unit in drawn])))
    applied = [value for value in values if math.isfinite(value)]
    if not applied:
        return Interval(low=math.nan, high=math.nan, resamples=0)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(applied, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high), resamples=len(values))


def _score(task: Task, decoded: Arrays, targets: Arrays, schema: Schema, metric: Metric) -> float:
    return task.score(decoded, targets, schema, [metric.name])[metric.name]


def take(arrays: Arrays, rows: Array) -> dict[str, Array]:
    """The same arrays with these rows alone."""
    return {key: np.asarray(value)[rows] for key, value in arrays.items()}


def _length(arrays: Arrays) -> int:
    return len(next(iter(arrays.values())))
