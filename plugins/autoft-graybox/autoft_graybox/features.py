"""What the surrogate looks at: each configuration's curve so far, beside those of its peers in the same search."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from autoft_graybox.curve import Array
from autoft_graybox.encoding import NEIGHBOURLY, SPREADS, WARMUP
from autoft_graybox.prior import SCALES, Prior

WIDTH: Final = 44
"""Number of features."""


class Known(NamedTuple):
    """What does not change while a search runs; n configurations."""

    prior: Array
    """(n, 3): rank, top tenth and lateness expected from past runs."""
    log_seconds: Array
    """(n,): expected log seconds of an epoch, less that of the middle of a search."""
    warmup: Array
    """(n,)"""
    alike: Array
    """(3, n, n) in [0, 1], 0 on the diagonal: same network, near in the space, both."""


class State(NamedTuple):
    """The curves of n configurations, at most `epochs` long, scores in [0, 1]."""

    scores: Array
    """(n, epochs); what lies beyond `used` is never looked at."""
    used: Array
    """(n,) epochs so far."""
    planned: Array
    """(n,) epochs in all; at least `used`. Known once the first epoch has run, before that `epochs`."""


def knowledge(encoded: Array, models: list[str], prior: Prior) -> Known:
    """From encodings (n, columns) and names of networks."""
    told = prior.predict(encoded, models)
    near = encoded[:, NEIGHBOURLY] * np.array(SPREADS)
    square = (near**2).sum(1)
    close = np.exp(-np.maximum(square[:, None] + square[None] - 2 * near @ near.T, 0) / 2)
    names = np.array(models)
    same = (names[:, None] == names[None]).astype(float)
    others = 1 - np.eye(len(models))
    alike = np.stack([same, close, same * close]) * others
    return Known(told[:, : len(SCALES)] * SCALES, told[:, len(SCALES)], encoded[:, WARMUP], alike)


def best_so_far(state: State) -> Array:
    """(n,) best score of each; 0 where no epoch has run."""
    return _at(np.maximum.accumulate(state.scores, 1), state.used)


def scale(state: State, best: Array) -> Array:
    """(n,) the unit in which gains are predicted: room above the best score, times the root of the time left."""
    left = 1 - state.used / np.maximum(state.planned, state.used + 0.25)
    unit: Array = np.maximum(1 - best, 0.003) * np.sqrt(np.maximum(left, 0.005))
    return unit


def features(state: State, known: Known) -> Array:
    """float32 (n, WIDTH)."""
    used, epochs = state.used, state.scores.shape[1]
    n = len(used)
    top = np.maximum.accumulate(state.scores, 1)
    best = _at(top, used)
    incumbent = int(best.argmax())
    high = best[incumbent]
    last_epoch = np.maximum(used - 1, 0)
    before = top[:, last_epoch]  # [j, i]: best of j when it was as old as i
    at_same_age = before[incumbent]
    seen = used > 0
    planned = np.maximum(state.planned, used + 0.25)
    wide = [np.full(n, value) for value in _of_the_search(state, best, incumbent, epochs)]
    columns = [
        *_of_itself(state, top, best, epochs),
        high - best,
        np.where(seen, high - best, 0.0),
        *_among_peers(used, best, before, known.alike),
        high - at_same_age,
        *wide,
        known.warmup,
        _logit(best),
        np.clip(np.log(np.maximum(high - best, 1e-3)), -7, 0),
        np.clip(np.log(np.maximum(high - at_same_age, 1e-3)), -7, 0),
        np.sqrt(1 - used / planned),
        np.log1p(planned - used) / 4,
        used / planned,
        *known.prior.T,
    ]
    return np.stack(columns, 1).astype(np.float32)


def _of_itself(state: State, top: Array, best: Array, epochs: int) -> list[Array]:
    scores, used = state.scores, state.used
    seen, last_epoch = used > 0, np.maximum(used - 1, 0)
    rows = np.arange(len(used))
    last = _at(scores, used)
    recent = (last + _at(scores, used - 1, first=True) + _at(scores, used - 2, first=True)) / 3
    recent = np.where(seen, recent, 0.0)
    earlier = np.where(used > 3, top[rows, np.maximum(last_epoch - 3, 0)], scores[:, 0])
    half = top[rows, np.maximum(used // 2 - 1, 0)]
    return [
        used / epochs,
        np.log1p(used) / 4,
        seen.astype(float),
        np.minimum(used, 3) / 3,
        best,
        last,
        recent,
        np.where(seen, scores[:, 0], 0.0),
        np.where(seen, top[rows, np.minimum(last_epoch, 1)], 0.0),
        best - last,
        best - recent,
        np.where(used > 1, best - half, 0.0),
        np.where(used > 1, best - earlier, 0.0),
        _logit(last),
    ]


def _among_peers(used: Array, best: Array, before: Array, alike: Array) -> list[Array]:
    age = np.maximum(used, 1)
    peers = (used[:, None] >= age[None]) & ~np.eye(len(used), dtype=bool)
    older = used[:, None] > age[None]
    many, few = peers.sum(0), older.sum(0)
    rank = ((before < best[None]) & peers).sum(0) / np.maximum(many, 1)
    gained = np.where(older, best[:, None] - before, 0.0)
    seen = (used > 0).astype(float)
    votes = seen * (rank - 0.5)
    weight, voted = alike.transpose(0, 2, 1) @ seen, alike.transpose(0, 2, 1) @ votes
    return [
        rank,
        np.where(used > 0, np.where(peers, before, 0.0).max(0) - best, 0.0),
        np.log1p(many) / 4,
        np.log1p(few) / 4,
        gained.sum(0) / np.maximum(few, 1),
        gained.max(0),
        4 * voted[0] / (weight[0] + 1),
        np.log1p(weight[0]) / 2,
        4 * voted[1] / (weight[1] + 1),
        4 * voted[2] / (weight[2] + 0.5),
    ]


def _of_the_search(state: State, best: Array, incumbent: int, epochs: int) -> list[float]:
    seen = state.used > 0
    high = best[incumbent]
    third = np.sort(best)[-3:][0]
    return [
        high,
        state.used[incumbent] / epochs,
        float(seen.mean()),
        third - high,
        float(np.median(best)),
        float(state.scores[seen, 0].mean()) if seen.any() else 0.0,
        float(_logit(high)),
    ]


def _at(curves: Array, used: Array, first: bool = False) -> Array:
    """The value after `used` epochs; 0 before the first one, or the first value if `first`."""
    values: Array = curves[np.arange(len(used)), np.maximum(used - 1, 0)]
    return values if first else np.where(used > 0, values, 0.0)


def _logit(values: Array) -> Array:
    clipped = np.clip(values, 0.003, 0.997)
    odds: Array = np.log(clipped / (1 - clipped)) / 2
    return odds
