"""Recordings longer than what a network hears at once: their further parts train as samples of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from autoft.data.forms import START
from autoft.data.quiet import SLACK
from autoft.errors import DataError
from autoft.names import listed
from autoft.records import Dataset, Decoding, Fold, Sample, Splits

if TYPE_CHECKING:
    from autoft.contracts import Array


MOST_SPOKEN: Final = 30.0
"""Seconds that are heard at once of a recording whose course is told step by step."""


KEPT: Final = 0.5
"""Share of what trains and of what validates that must be short enough to be heard whole."""


class Longer(NamedTuple):
    """Samples with further parts behind them."""

    dataset: Dataset
    digests: tuple[str, ...]
    splits: Splits
    parts: int
    """How many further parts there are."""


def marked(digest: str, sample: Sample) -> str:
    """The digest of a sample: that of its file, and where in it the sample begins if it is a further part."""
    begin = sample.fields.get(START)
    return digest if begin is None else f"{digest}@{float(begin):g}"


def extend(
    dataset: Dataset, digests: Sequence[str], seconds: Array, divided: Splits, decoding: Decoding
) -> Longer | None:
    """The data with a sample for each further part of recordings that train, spread as those that a prediction hears;
    None where no recording is longer. A part is of the class and the group of its recording, and trains where that
    does: what validates and what tests stays as it is.
    """
    from autoft.data import audio

    learned = {name for fold in (*divided.folds, *divided.spare) for name in fold.train}
    parts: dict[str, list[Sample]] = {}
    marks: list[str] = []
    for sample, digest, total in zip(dataset.samples, digests, seconds.tolist(), strict=True):
        begins = audio.starts(total, decoding.seconds, decoding.windows)[1:] if sample.id in learned else []
        for begin in begins:
            begin = round(begin, 3)
            fields = {**sample.fields, START: begin}
            own = msgspec.structs.replace(sample, id=f"{sample.id}@{begin:g}s", fields=fields)
            parts.setdefault(sample.id, []).append(own)
            marks.append(marked(digest, own))
    if not parts:
        return None
    more = tuple(part for found in parts.values() for part in found)
    said = f"{divided.sentence} {len(more):,} further parts of long recordings train as well."
    divided = msgspec.structs.replace(
        divided,
        sentence=said,
        folds=tuple(_with(fold, parts) for fold in divided.folds),
        spare=tuple(_with(fold, parts) for fold in divided.spare),
    )
    whole = msgspec.structs.replace(dataset, samples=(*dataset.samples, *more))
    return Longer(whole, (*digests, *marks), divided, len(more))


def _with(fold: Fold, parts: Mapping[str, Sequence[Sample]]) -> Fold:
    more = [part.id for name in fold.train for part in parts.get(name, ())]
    return msgspec.structs.replace(fold, train=(*fold.train, *more))


def shortened(dataset: Dataset, seconds: Array, divided: Splits, limit: float) -> tuple[Splits, str]:
    """The parts without recordings longer than `limit` in training and validation, where all that is said in one is its
    target, and what to say of it: their targets would tell what nobody hears. The test part is heard to its end.

    Raises:
        DataError: too few others remain.
    """
    long = {sample.id for sample, each in zip(dataset.samples, seconds.tolist(), strict=True) if each > limit + SLACK}
    told = {name for fold in (*divided.folds, *divided.spare) for name in (*fold.train, *fold.val)}
    gone = sorted(told & long)
    if not gone:
        return divided, ""

    def without(fold: Fold) -> Fold:
        train, val = (tuple(name for name in part if name not in long) for part in (fold.train, fold.val))
        return Fold(train=train, val=val)

    folds = tuple(map(without, divided.folds))
    for before, after in zip(divided.folds, folds, strict=True):
        if len(after.train) < KEPT * len(before.train) or len(after.val) < KEPT * len(before.val):
            raise DataError(
                f"recordings must be at most {limit:g} s long to be learned from with all that is said in them, but "
                f"{len(gone):,} of {len(told):,} that train or validate are longer, the first '{gone[0]}'.",
                "Cut them where nothing is said, with their transcripts: a file for each piece, or a table with "
                "columns start and end.",
            )
    spare = tuple(fold for fold in map(without, divided.spare) if fold.train and fold.val)
    long_ones = f"{len(gone):,} recording{'s' * (len(gone) != 1)} longer than {limit:g} s"
    divided = msgspec.structs.replace(
        divided,
        folds=folds,
        spare=spare,
        sentence=f"{divided.sentence} Left out of training and validation: {long_ones}.",
    )
    said = (
        f"left out of training and validation, as no trial hears all that is said there: {long_ones}, {listed(gone)}. "
        "Cut them, with their transcripts, to use them. Predictions, `autoft val` and the test score hear such "
        "recordings to their end."
    )
    return divided, said
