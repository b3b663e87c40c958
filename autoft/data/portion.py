"""A part of the samples, where there is no time to decode all: of each class and each group alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from autoft.records import Fold, Sample, Splits

CHECKED: Final = 3000
"""Samples of a validation or test part beyond which a score hardly becomes surer, and others are better trained on."""
GIVEN: Final = 0.75
"""Part of what there is time for that a test part of the data may take and stay whole."""
KEPT: Final = 10
"""Samples of each class that are kept, while there is room for them."""


class Portion(NamedTuple):
    """What is used of a division."""

    splits: Splits
    used: Mapping[str, tuple[int, int]]
    """Part -> samples that are used, and samples that there are."""


def choose(
    divided: Splits, samples: Sequence[Sample], strata: Sequence[str], room: int, seed: int, why: str
) -> Portion:
    """`room` of the samples of a division, or somewhat fewer. No sample changes its part.

    A test part that the data bring stays whole where it leaves room for others. Elsewhere all parts shrink alike, and
    beyond `CHECKED` samples those that are not trained on shrink more.

    Args:
        strata: one word per sample; each part keeps the proportions of these.
        why: for the user.
    """
    about = {s.id: (word, s.group) for s, word in zip(samples, strata, strict=True)}
    given = any(sample.split == "test" for sample in samples)
    rng = np.random.default_rng([seed, *b"portion"])
    rest = sorted({name for fold in divided.folds for name in (*fold.train, *fold.val)})
    total = len(rest) + len(divided.test)
    whole = given and len(divided.test) <= GIVEN * room
    tested = len(divided.test) if whole else _share(len(divided.test), room / total, CHECKED)
    left = room - tested
    test = _draw(divided.test, tested, about, rng)
    if len(divided.folds) > 1:
        kept = _draw(rest, left, about, rng)
        used = {"train and val": (len(kept), len(rest))}
    else:
        (fold,) = divided.folds
        val = _draw(fold.val, _share(len(fold.val), left / len(rest), CHECKED), about, rng)
        train = _draw(fold.train, left - len(val), about, rng)
        kept = [*train, *val]
        used = {"train": (len(train), len(fold.train)), "val": (len(val), len(fold.val))}
    used["test"] = (len(test), len(divided.test))
    parts = ", ".join(
        f"all {there:,} {name}" if number == there else f"{number:,} of {there:,} {name}"
        for name, (number, there) in used.items()
    )
    said = f"{parts} samples are used, of each class and group alike, {why}; before that: {divided.sentence}"
    return Portion(msgspec.structs.replace(only(divided, {*kept, *test}), sentence=said), used)


def only(divided: Splits, kept: Collection[str]) -> Splits:
    """The same division without other samples."""

    def within(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in kept)

    def folds(found: Iterable[Fold]) -> tuple[Fold, ...]:
        return tuple(Fold(train=within(fold.train), val=within(fold.val)) for fold in found)

    spare = tuple(fold for fold in folds(divided.spare) if fold.train and fold.val)
    return msgspec.structs.replace(divided, folds=folds(divided.folds), test=within(divided.test), spare=spare)


def _share(size: int, share: float, most: int) -> int:
    return min(size, most, max(1, math.ceil(size * share)))


def _draw(
    names: Sequence[str], number: int, about: Mapping[str, tuple[str, str]], rng: np.random.Generator
) -> list[str]:
    """`number` of these samples. Those of one stratum are taken at even steps through its groups, so that none is lost
    that can be kept."""
    if number >= len(names):
        return list(names)
    within: dict[str, list[str]] = {}
    for name in names:
        within.setdefault(about[name][0], []).append(name)
    strata = sorted(within)
    sizes = np.array([len(within[word]) for word in strata])
    found: list[str] = []
    for word, quota in zip(strata, _quotas(sizes, number).tolist(), strict=True):
        members = [within[word][place] for place in rng.permutation(len(within[word]))]
        members.sort(key=lambda name: about[name][1])
        steps = (np.arange(quota) + rng.random()) * len(members) / max(1, quota)
        found += [members[int(step)] for step in steps]
    return sorted(found)


def _quotas(sizes: np.ndarray, number: int) -> np.ndarray:
    """int64 (strata,): how many of each, `number` in all: `KEPT` or as many as all can have, then in proportion."""
    least = np.minimum(sizes, min(KEPT, number // len(sizes)))
    spare = (sizes - least) * (number - least.sum()) / max(1, (sizes - least).sum())
    quotas: np.ndarray = least + np.floor(spare).astype(np.int64)
    behind = np.argsort(-(spare % 1), kind="stable")[: number - int(quotas.sum())]
    quotas[behind] += 1
    return quotas
