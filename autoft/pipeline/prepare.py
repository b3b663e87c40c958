"""From what the user named to samples that can be trained on: read, checked, decoded once and split."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from autoft.abilities import Counting
from autoft.contracts import Array, Task
from autoft.data import cache, checks, forms, longer, masks, pixels, portion, shades, splits, store, twins
from autoft.data.filling import TooSlow
from autoft.data.forms import Form
from autoft.data.inspect import inspect
from autoft.data.kin import NO_KIN, Kin
from autoft.data.readers import open_dataset
from autoft.data.store import Store
from autoft.errors import BudgetEnded
from autoft.events import DataRecognised, Listener, Note
from autoft.options import DataOptions
from autoft.records import Dataset, Decoding, Issue, Sample, Schema, Splits
from autoft.registry import Registry

SIDE = 128
"""Rows and columns of a recording's picture, where nothing else is asked for."""

MOST_SECONDS = 10.0
"""Of a recording that is taken as a whole: longer ones are cut."""
MOST_WINDOWS = 5
"""Parts of a longer recording that a prediction hears."""
FEWEST = 60
"""Samples that are worth a search, where there is no time to decode all."""


class Checked(NamedTuple):
    """Data whose files were read but not decoded."""

    dataset: Dataset
    schema: Schema
    digests: tuple[str, ...]
    issues: tuple[Issue, ...]
    side: int
    """Median of the shorter sides, in pixels; what suits a recording's picture where there are no images."""
    seconds: Array
    """float64 (samples,): how long recordings are; 0 where there are none."""
    total: int
    """Samples before any was left out."""
    divided: Splits
    """As long as no file turns out to be damaged."""
    kin: Kin = NO_KIN
    greys: tuple[float, float] | None = None
    """What becomes black and white in pictures of more than 8 bits, see `Decoding.greys`."""


class Prepared(NamedTuple):
    """Data ready for trials."""

    dataset: Dataset
    """Its samples are the rows of the store."""
    schema: Schema
    store: Store
    splits: Splits
    issues: tuple[Issue, ...]
    used: Mapping[str, tuple[int, int]] = {}
    """Part -> samples that are used, and samples that there are, where time was short."""
    content: str = ""
    """One word for what the samples held when they were read."""


def check(registry: Registry, options: DataOptions, task: Task, seed: int, listener: Listener) -> Checked:
    """Read and inspect the data.

    Args:
        seed: of the split: what the schema says of the targets must not come from samples that will be the test part.

    Raises:
        DataError: nothing usable, too much unusable, or targets that cannot be learned from.
    """
    dataset = open_dataset(registry, options, task)
    listener(Note(text=dataset.recognised))
    twins.refuse_if_one_file_says_many_things(dataset.samples, dataset.root)
    found = inspect(twins.rated(dataset), task.inputs)
    total = checks.total(dataset)
    checks.refuse_if_too_bad(found.issues, total, options.max_bad)
    task.schema(found.dataset)  # refuses targets that cannot be learned from, in its own words
    divided = split(found.dataset, task, found.digests, seed, kin=found.kin)
    schema = task.schema(_told(found.dataset, {*divided.test}))
    for warning in schema.extra.get("warnings", ()):
        listener(Note(text=str(warning), level="warning"))
    sides = found.sides.min(axis=1)
    side = int(np.median(sides[sides > 0])) if (sides > 0).any() else SIDE
    greys = shades.greys(found, {*divided.test})
    if greys:
        listener(Note(text=shades.told(found, greys)))
    return Checked(
        found.dataset, schema, found.digests, found.issues, side, found.seconds, total, divided, found.kin, greys
    )


def _told(dataset: Dataset, locked: Collection[str]) -> Dataset:
    """The same samples, those that are drawn for the test part called so, as where the data name one themselves."""
    samples = (msgspec.structs.replace(s, split="test") if s.id in locked else s for s in dataset.samples)
    return msgspec.structs.replace(dataset, samples=tuple(samples))


def seconds_for(checked: Checked, *, whole: bool) -> float:
    """How much of each recording is kept: all of it for nearly all of them, but no more than is useful.

    Args:
        whole: a recording is told step by step, so that none may be cut.
    """
    if not checked.seconds.any():
        return 0.0
    if whole:
        return min(longer.MOST_SPOKEN, math.ceil(10 * float(checked.seconds.max())) / 10)
    return min(MOST_SECONDS, math.ceil(10 * float(np.quantile(checked.seconds, 0.95))) / 10)


def windows_for(seconds: float, *, whole: bool) -> int:
    """How many parts of `seconds` a prediction hears of a longer recording, at most; of one told step by step, all."""
    if not seconds:
        return 1
    return 0 if whole else MOST_WINDOWS


def prepare(
    checked: Checked,
    task: Task,
    options: DataOptions,
    decoding: Decoding,
    modalities: Collection[str],
    seed: int,
    listener: Listener,
    root: Path | None = None,
    within: float = math.inf,
) -> Prepared:
    """Decode for networks of these modalities, and split. Where decoding all samples would take longer than `within`
    seconds, a part of them is used.

    Raises:
        DataError: too many files turn out to be damaged, or too few samples are left to split, or are short enough.
        BudgetEnded: hardly any sample could be decoded in that time.
    """
    place, left = root or cache.cache_root(), within
    given = checked.divided
    checked = _whole_ones(checked, decoding, listener)
    fewer = checked.divided is not given

    def built(some: Checked, seconds: float) -> tuple[Store, tuple[Issue, ...], list[Form]]:
        wanted = forms_of(some.dataset.samples, some.schema, task, decoding, modalities)
        return (*store.build(some.dataset, some.digests, wanted, decoding, place, within=seconds), wanted)

    used: Mapping[str, tuple[int, int]] = {}
    found = None
    if long := _longer(checked, decoding):
        try:
            found, checked = built(long, left), long
        except TooSlow as slow:  # then what trains is heard by its beginning alone
            left -= slow.spent
    try:
        found = found or built(checked, left)
    except TooSlow as slow:
        checked, used = _part(checked, task, slow.pace, left - slow.spent, within, seed)
        found = built(checked, math.inf)
    decoded, damaged, wanted = found
    issues = (*checked.issues, *damaged, *pixels.without(wanted, decoded.arrays))
    checks.refuse_if_too_bad(issues, checked.total, options.max_bad)
    if used:
        checks.refuse_if_too_bad(damaged, len(checked.dataset.samples), options.max_bad)
    drop = tuple(issue.subject for issue in damaged if issue.drops)
    if drop and (used or fewer or checked is long):
        divided = portion.only(checked.divided, {sample.id for sample in checked.dataset.samples}.difference(drop))
    else:
        divided = split(checked.dataset, task, checked.digests, seed, drop, checked.kin) if drop else checked.divided
    prepared = Prepared(checked.dataset, checked.schema, decoded, divided, issues, used)
    listener(recognised(checked.dataset, checked.schema, divided, issues))
    return prepared


def _whole_ones(checked: Checked, decoding: Decoding, listener: Listener) -> Checked:
    """The data with none that train or validate whose targets tell more than what trials hear of them."""
    if decoding.windows or not decoding.seconds:
        return checked
    divided, said = longer.shortened(checked.dataset, checked.seconds, checked.divided, decoding.seconds)
    if said:
        listener(Note(text=said, level="warning"))
    return checked._replace(divided=divided)


def _longer(checked: Checked, decoding: Decoding) -> Checked | None:
    """The data with the further parts of recordings that are longer than the most that is heard at once, if any are."""
    if decoding.windows < 2 or decoding.seconds < MOST_SECONDS:
        return None
    found = longer.extend(checked.dataset, checked.digests, checked.seconds, checked.divided, decoding)
    return found and checked._replace(dataset=found.dataset, digests=found.digests, divided=found.splits)


def forms_of(
    samples: Sequence[Sample], schema: Schema, task: Task, decoding: Decoding, modalities: Collection[str]
) -> list[Form]:
    """What a store keeps of each sample."""
    return [*forms.inputs(task.inputs[0], modalities, decoding), *truths(task, samples, schema, decoding)]


def _part(
    checked: Checked, task: Task, pace: float, left: float, within: float, seed: int
) -> tuple[Checked, Mapping[str, tuple[int, int]]]:
    """As many of the samples as can be decoded in the seconds that are `left` of `within`, in round numbers.

    Raises:
        BudgetEnded: these are hardly any.
    """
    samples = checked.dataset.samples
    spent = within - left  # much of it by libraries that load
    total = spent + pace * len(samples)
    room = min(len(samples), int(max(0.0, left) / pace))
    if room < FEWEST:
        raise BudgetEnded(
            f"{FEWEST} samples or more must be decoded in {within:.0f} s, a third of the time left, but {spent:.0f} s "
            f"went into the first ones, and each of the others takes {pace:.2g} s.",
            f"Give more --time: decoding all {len(samples):,} takes about {total:.0f} s.",
        )
    room = int(float(f"{room:.1e}")) if room >= 100 else room
    why = f"as decoding all would take about {total:.0f} s, and {within:.0f} s fit into --time"
    chosen = portion.choose(checked.divided, samples, task.strata(checked.dataset), room, seed, why)
    kept = {*chosen.splits.test, *(name for fold in chosen.splits.folds for name in (*fold.train, *fold.val))}
    rows = [row for row, sample in enumerate(samples) if sample.id in kept]
    dataset = msgspec.structs.replace(checked.dataset, samples=tuple(samples[row] for row in rows))
    digests = tuple(checked.digests[row] for row in rows)
    fewer = checked._replace(dataset=dataset, digests=digests, seconds=checked.seconds[rows], divided=chosen.splits)
    return fewer, chosen.used


def truths(task: Task, samples: Sequence[Sample], schema: Schema, decoding: Decoding) -> list[Form]:
    """The forms of those targets that are decoded like inputs."""
    if forms.MASK not in task.targets:
        return []
    return [forms.Masks(masks.labels([sample.fields[forms.MASK] for sample in samples], schema.classes), decoding)]


def split(
    dataset: Dataset, task: Task, digests: Sequence[str], seed: int, drop: tuple[str, ...] = (), kin: Kin = NO_KIN
) -> Splits:
    counts = task.counts(dataset) if isinstance(task, Counting) else ()
    return splits.make(dataset, task.strata(dataset), digests, seed, drop, counts, kin)


def recognised(dataset: Dataset, schema: Schema, divided: Splits, issues: tuple[Issue, ...]) -> DataRecognised:
    first = divided.folds[0]
    return DataRecognised(
        sentence=divided.sentence,
        samples=len(dataset.samples),
        classes=schema.classes,
        splits={"train": len(first.train), "val": len(first.val), "test": len(divided.test)},
        issues=issues,
    )
