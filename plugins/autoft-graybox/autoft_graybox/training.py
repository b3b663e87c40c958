"""How the surrogate is learned from tables of past runs. Numpy alone; seconds on one core.

The prior is fitted by ridge regression. The networks see searches that are made up: some runs of one data set, each
stopped somewhere, as noisy halving would have left them; they learn how each of them ended. What the prior says of a
data set's runs is fitted on the other data sets, so that the networks learn how far a prior can be trusted elsewhere.
A configuration's own encoding is not shown to the networks: there are few runs, and they would be learned by heart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from autoft_graybox.curve import Array
from autoft_graybox.features import Known, State, best_so_far, features, knowledge, scale
from autoft_graybox.network import train
from autoft_graybox.prior import Prior, fit
from autoft_graybox.surrogate import Surrogate
from autoft_graybox.table import EPOCHS, Table

SEARCHES: Final = 120
"""Made-up searches per data set."""
NETWORKS: Final = 3
ROUNDS: Final = 8
"""Passes over them."""
LARGEST: Final = 100
"""Configurations in one search, at most."""
BLIND: Final = 0.2
"""Share of searches in which all networks count as unknown."""
NEAR: Final = 0.08
"""Runs that end this close to the best weigh most."""

Generator = np.random.Generator


class _Examples(NamedTuple):
    x: Array
    y: Array
    weights: Array


def fit_prior(tables: Mapping[str, Table]) -> Prior:
    """Over all runs of all tables."""
    targets = np.concatenate([_targets(table) for table in tables.values()])
    models = [name for table in tables.values() for name in table.models]
    return fit(np.concatenate([table.encoded for table in tables.values()]), models, targets)


def learn(
    tables: Mapping[str, Table],
    seed: int = 0,
    searches: int = SEARCHES,
    networks: int = NETWORKS,
    rounds: int = ROUNDS,
) -> Surrogate:
    """A surrogate from at least two data sets."""
    generator = np.random.default_rng(seed)
    parts = []
    for name, table in tables.items():
        elsewhere = fit_prior({other: t for other, t in tables.items() if other != name})
        parts += [_examples(table, elsewhere, generator) for _ in range(searches)]
    x, y, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    centre, spread = x.mean(0), np.maximum(x.std(0), 0.05)
    x = np.clip((x - centre) / spread, -5, 5)
    trained = tuple(train(x, y, weights / weights.mean(), seed + n, rounds) for n in range(networks))
    return Surrogate(fit_prior(tables), centre, spread, trained, EPOCHS, tuple(tables))


def _targets(table: Table) -> Array:
    """(n, targets) as `prior.TARGETS` says."""
    rank, early = _rank(table.final), _rank(table.scores[:, :2].max(1))
    seconds = np.log(np.maximum(table.seconds[:, 0], 1e-2))
    return np.stack([rank - 0.5, (rank > 0.9) - 0.1, rank - early, seconds - np.median(seconds)], 1)


def _rank(values: Array) -> Array:
    """(n,) in (0, 1), 1 is the highest."""
    ranks: Array = (values.argsort(kind="stable").argsort() + 0.5) / len(values)
    return ranks


def _examples(table: Table, prior: Prior, generator: Generator) -> _Examples:
    """One made-up search: a row for each configuration that has not ended."""
    most = min(LARGEST, len(table.length))
    chosen = generator.choice(len(table.length), int(generator.integers(min(16, most), most + 1)), replace=False)
    blind = generator.random() < BLIND
    known = _know(table, chosen, prior, blind)
    scores, length = table.scores[chosen], table.length[chosen]
    if generator.random() < BLIND:
        scores = _warped(scores, generator)
    used = _stopped(scores, length, generator)
    planned = np.where(used > 0, np.maximum(table.planned[chosen], used), EPOCHS)
    state = State(scores, used, planned)
    best, final = best_so_far(state), scores.max(1)
    live = used < length
    y = (final - best) / scale(state, best)
    weights = 0.1 + np.exp((final - final.max()) / NEAR)
    return _Examples(features(state, known)[live], y[live].astype(np.float32), weights[live].astype(np.float32))


def _know(table: Table, chosen: Array, prior: Prior, blind: bool) -> Known:
    models = [table.models[n] for n in chosen]
    known = knowledge(table.encoded[chosen], models, prior)
    if not blind:
        return known
    return known._replace(prior=knowledge(table.encoded[chosen], [""] * len(models), prior).prior)


def _warped(scores: Array, generator: Generator) -> Array:
    """As on another data set, harder or easier."""
    ceiling, bend = generator.uniform(0.6, 1), np.exp(generator.uniform(-0.4, 0.4))
    warped: Array = ceiling * (1 - (1 - scores) ** bend)
    return warped


def _stopped(scores: Array, length: Array, generator: Generator) -> Array:
    """(n,) epochs used where noisy halving, broken off somewhere, would stand."""
    n = len(length)
    used = np.zeros(n, np.int64)
    started = int(generator.integers(1, n + 1)) if generator.random() < 0.5 else n
    alive = generator.permutation(n)[:started]
    rung, factor, noise = int(generator.integers(1, 4)), generator.uniform(1.3, 4), generator.uniform(0, 0.15)
    top = np.maximum.accumulate(scores, 1)
    while True:
        used[alive] = np.minimum(rung, length[alive])
        if rung >= EPOCHS or generator.random() < 0.15:
            return used
        told = top[alive, np.maximum(used[alive] - 1, 0)] + generator.normal(0, noise, len(alive))
        alive = alive[np.argsort(-told)[: max(1, int(len(alive) / factor))]]
        if generator.random() < 0.3:  # others of this rung are not there yet
            alive = alive[: max(1, int(len(alive) * generator.random()))]
        rung = min(EPOCHS, max(rung + 1, int(rung * generator.uniform(1.2, 3))))
