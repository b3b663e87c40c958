"""Byte-identical files, texts of the same words and groups that lie in several parts, and what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import msgspec

from autoft.data.media import SUFFIXES
from autoft.errors import DataError
from autoft.records import Dataset, Issue, Sample

#: The part that keeps a sample which lies in several: the one further from training.
RANK = {"": 0, "train": 0, "val": 1, "test": 2}
NAMES = ("train", "val", "test")
FEW = 5
"""Files in two classes that are no reason to stop, whatever their share."""
MOST = 0.25
"""Share of the samples that may be of files in two classes, each of which is there twice at least."""

ONE = ("label", "labels", "transcript")
"""What can be said of a file in one way alone."""


def report(
    samples: Sequence[Sample], digests: Sequence[str], alike: Sequence[str], media: Sequence[str]
) -> tuple[list[Issue], set[str]]:
    """Issues about files and texts that are there twice, and the ids of samples that must leave their part.

    `digests` has one hash per sample, equal for those that are the same; `alike` is equal also for texts of the same
    words, which leave a part only where their targets are the same, too: a sign may be what tells two classes apart.
    `media` names the inputs (the other fields are targets).
    None of these issues has `drops` set: the user's files are sound, so they do not count as bad.
    """
    by_words = _collect(zip(samples, alike, strict=True))
    by_digest = _collect(zip(samples, digests, strict=True))
    by_saying = _collect((s, word + _targets(s, media)) for s, word in zip(samples, alike, strict=True))
    by_group = _collect((sample, sample.group) for sample in samples if sample.group)
    issues: list[Issue] = []
    leaving: set[str] = set()
    files = any(field in SUFFIXES for field in media)
    for twins in by_words:
        issues += _duplicate(twins, files) + _conflict(twins, media, files)
    for twins in (*by_digest, *by_saying):
        leaving |= _leak(twins, f"the same {'file' if files else 'text'}", issues, leaving)
    for members in by_group:
        leaving |= _leak(members, f"group '{members[0].group}'", issues, leaving)
    return issues, leaving


def refuse_if_two_labelled(samples: Sequence[Sample], digests: Sequence[str], media: Sequence[str], root: str) -> None:
    """Stop where a large share of the samples are files that lie in two classes: a copy of all was taken for a class.

    Files are the same by `digests`: texts of the same words may differ by a sign that tells their classes.

    Raises:
        DataError: it says how many, and names one.
    """
    same = _collect(zip(samples, digests, strict=True))
    conflicts = [issue for twins in same for issue in _conflict(twins, media, files=True)]
    if len(conflicts) < FEW or 2 * len(conflicts) < MOST * len(samples):
        return
    raise DataError(
        f"a file must be of one class, but of {len(samples)} in '{root}' {len(conflicts)} or more lie in two: "
        f"'{conflicts[0].subject}', {conflicts[0].detail}.",
        "One of these classes is probably a copy of others: take its folder out, or give the folder of one copy as the "
        "data.",
    )


def refuse_if_one_file_says_many_things(samples: Sequence[Sample], root: str) -> None:
    """Stop where many recordings stand in several rows each that tell of them different classes or words: rows that are
    meant as pieces would be learned as the whole recording. Numbers may differ, as where several people rated it.

    Raises:
        DataError: it says how many, and names one.
    """
    own = (sample for sample in samples if sample.fields.get("audio"))
    same = _collect((sample, f"{sample.fields['audio']}\0{sample.fields.get('piece')}") for sample in own)
    torn = [members for members in same if len({str([*map(sample.fields.get, ONE)]) for sample in members}) > 1]
    rows = sum(map(len, torn))
    if rows < FEW or rows < MOST * len(samples):
        return
    raise DataError(
        f"each row must be a recording of its own, but {rows:,} of {len(samples):,} rows of '{root}' name "
        f"only {len(torn):,} different files and say different things of them, the first '{torn[0][0].id}'.",
        "If rows are pieces of longer recordings, say where each begins and ends, in seconds, in columns start and "
        "end. If several people judged each recording, leave one row for each.",
    )


def rated(dataset: Dataset) -> Dataset:
    """The data with files that several rows tell a number of, such as ratings of several people, as a group each: they
    stay in one part, and count as one where it is told how sure a score is."""
    samples = [sample for sample in dataset.samples if "value" in sample.fields and not sample.group]
    parts = (*SUFFIXES, "piece")
    own = ((s, str({field: s.fields[field] for field in parts if field in s.fields})) for s in samples)
    again = _collect((sample, file) for sample, file in own if file != "{}")
    groups = {sample.id: members[0].id for members in again for sample in members}
    if not groups:
        return dataset
    kept = (msgspec.structs.replace(s, group=groups[s.id]) if s.id in groups else s for s in dataset.samples)
    return msgspec.structs.replace(dataset, samples=tuple(kept))


def _targets(sample: Sample, media: Sequence[str]) -> str:
    return str({key: value for key, value in sample.fields.items() if key not in media})


def _collect(pairs: Iterable[tuple[Sample, str]]) -> list[list[Sample]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample, key in pairs:
        found[key].append(sample)
    return [members for members in found.values() if len(members) > 1]


def _duplicate(twins: list[Sample], files: bool) -> list[Issue]:
    others = ", ".join(sample.id for sample in twins[1:4]) + (" ..." if len(twins) > 4 else "")
    return [
        Issue(
            kind="duplicate",
            subject=twins[0].id,
            detail=f"the same {'bytes' if files else 'words'} as {others}",
            drops=False,
        )
    ]


def _conflict(twins: list[Sample], media: Sequence[str], files: bool) -> list[Issue]:
    targets = {_targets(sample, media): sample for sample in twins}
    if len(targets) < 2:
        return []
    said = " and ".join(f"'{_name(sample)}'" for sample in list(targets.values())[:3])
    return [
        Issue(
            kind="conflicting_label",
            subject=twins[0].id,
            detail=f"the same {'file' if files else 'text'} is {said}",
            drops=False,
        )
    ]


def _name(sample: Sample) -> str:
    several = sample.fields.get("labels")
    return str(sample.fields.get("label", sample.id)) if several is None else ", ".join(several) or "no label"


def _leak(members: list[Sample], what: str, issues: list[Issue], told: Collection[str]) -> set[str]:
    """Who leaves a part; those that are `told` already get no further issue."""
    ranks = {RANK[sample.split] for sample in members}
    if len(ranks) < 2:
        return set()
    highest = max(ranks)
    gone = [sample for sample in members if RANK[sample.split] < highest and sample.id not in told]
    parts = " and ".join(NAMES[rank] for rank in sorted(ranks))
    for sample in gone:
        detail = f"{what} is in {parts}; left out of {NAMES[RANK[sample.split]]}"
        issues.append(Issue(kind="leak", subject=sample.id, detail=detail, drops=False))
    return {sample.id for sample in gone}
