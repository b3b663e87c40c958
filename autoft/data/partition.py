"""Dividing units (single samples, or groups that stay together) into parts with the same mix of strata.

scikit-learn's StratifiedGroupKFold would do part of this, but importing it costs 3 s at the start of every
search (see docs on start-up), and it makes equal folds only; plain numpy is enough here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from autoft.contracts import Array


Unit = tuple[int, ...]
"""The strata, counted from 0, of the samples that stay together."""


def divide(
    units: Sequence[Unit], strata: int, fractions: Sequence[float], rng: np.random.Generator, least: Sequence[int]
) -> Array:
    """Assign each unit to a part.

    Groups go one by one, largest first, to the part that lacks their strata most (the greedy rule of
    StratifiedGroupKFold, with unequal parts); single samples then fill what each part still lacks.

    Args:
        units: which strata the samples of each unit belong to; most often one sample.
        strata: how many strata there are.
        fractions: wanted share of each part; they sum to 1. Part 0 is the one that gives when another is empty.
        least: for each part, how many samples of a stratum it gets at least. The parts are served in
            order while samples last.

    Returns:
        int64 (units,), the part of each unit. No part is empty if there are as many units as parts.
    """
    order = rng.permutation(len(units))
    totals = count(units, strata)
    missing = _wanted(totals, fractions, least).astype(np.float64)
    parts = np.zeros(len(units), np.int64)
    sizes = np.array([len(unit) for unit in units])
    groups = order[sizes[order] > 1]
    for group in groups[np.argsort(-sizes[groups], kind="stable")]:
        counts = np.bincount(units[group], minlength=strata)
        parts[group] = np.argmax(missing @ (counts / np.maximum(totals, 1)))
        missing[parts[group]] -= counts
    singles = order[sizes[order] == 1]
    of = np.array([units[single][0] for single in singles], np.int64)
    for stratum in np.unique(of):
        members = singles[of == stratum]
        parts[members] = np.repeat(np.arange(len(missing)), _fill(missing[:, stratum], len(members)))
    _settle_empty(parts, sizes, len(missing))
    return parts


def count(units: Iterable[Unit], strata: int) -> Array:
    """int64 (strata,): how many samples of each stratum the units hold together."""
    counted: Array = np.bincount(np.fromiter(chain.from_iterable(units), np.int64), minlength=strata)
    return counted


def _wanted(totals: Array, fractions: Sequence[float], least: Sequence[int]) -> Array:
    """int64 (parts, strata): whole numbers near totals x fractions that sum to the totals.

    What rounding leaves over goes to the part that, over all strata so far, is furthest behind.
    """
    shares = np.asarray(fractions)
    wanted = np.zeros((len(shares), len(totals)), np.int64)
    behind = np.zeros(len(shares))
    for stratum in np.argsort(-totals, kind="stable"):
        total = int(totals[stratum])
        ideal = shares * total
        column = np.floor(ideal + 1e-9).astype(np.int64)
        for _ in range(total - int(column.sum())):
            column[np.argmax(behind + ideal - column)] += 1
        wanted[:, stratum] = _at_least(column, least)
        behind += ideal - wanted[:, stratum]
    return wanted


def _at_least(column: Array, least: Sequence[int]) -> Array:
    """Move samples from the fullest part to those that have fewer than their least."""
    for part, wish in enumerate(least):
        while column[part] < wish:
            spare = [int(n) - (least[i] if i < part else 0) if i != part else 0 for i, n in enumerate(column)]
            giver = int(np.argmax(spare))
            if spare[giver] <= 0:
                break
            column[giver] -= 1
            column[part] += 1
    return column


def _fill(missing: Array, members: int) -> Array:
    """int64 (parts,): how many of `members` single samples each part gets; they sum to `members`."""
    room = np.maximum(missing, 0)
    total = room.sum()
    ideal = room / total * members if total > 0 else np.eye(len(missing))[0] * members
    counts: Array = np.floor(ideal + 1e-9).astype(np.int64)
    for _ in range(members - int(counts.sum())):
        counts[np.argmax(ideal - counts)] += 1
    return counts


def _settle_empty(parts: Array, sizes: Array, number: int) -> None:
    """Give each empty part the smallest unit of the part that has most units."""
    for part in range(number):
        if (parts == part).any():
            continue
        giver = int(np.argmax(np.bincount(parts, minlength=number)))
        units = np.flatnonzero(parts == giver)
        if len(units) > 1:
            parts[units[np.argmin(sizes[units])]] = part


def ensure_strata(parts: Array, units: Sequence[Unit], strata: int, part: int) -> None:
    """Move the smallest unit that holds it to `part`, for each stratum absent there: what is not trained on
    cannot be predicted. A part is not emptied for it."""
    held = count((unit for unit, at in zip(units, parts, strict=True) if at == part), strata)
    for stratum in np.flatnonzero((held == 0) & (count(units, strata) > 0)):
        holders = [i for i, unit in enumerate(units) if stratum in unit and parts[i] != part]
        movable = [i for i in holders if (parts == parts[i]).sum() > 1]
        if movable:
            parts[min(movable, key=lambda i: len(units[i]))] = part
