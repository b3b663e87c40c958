"""Byte-identical files, texts of the same words and groups that lie in several parts, and what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from autoft.data.media import SUFFIXES
from autoft.errors import DataError
from autoft.records import Issue, Sample

#: The part that keeps a sample which lies in several: the one further from training.
RANK = {"": 0, "train": 0, "val": 1, "test": 2}
NAMES = ("train", "val", "test")
FEW = 5
"""Files in two classes that are no reason to stop, whatever their share."""
MOST = 0.25
"""Share of the samples that may be of files in two classes, each of which is there twice at least."""


def report(samples: Sequence[Sample], digests: Sequence[str], media: Sequence[str]) -> tuple[list[Issue], set[str]]:
    """Issues about files and texts that are there twice, and the ids of samples that must leave their part.

    `digests` has one hash per sample, equal for those that are the same; `media` names the inputs (the other fields are
    targets).
    None of these issues has `drops` set: the user's files are sound, so they do not count as bad.
    """
    by_digest = _collect(zip(samples, digests, strict=True))
    by_group = _collect((sample, sample.group) for sample in samples if sample.group)
    issues: list[Issue] = []
    leaving: set[str] = set()
    files = any(field in SUFFIXES for field in media)
    for twins in by_digest:
        issues += _duplicate(twins, files) + _conflict(twins, media, files)
        leaving |= _leak(twins, f"the same {'file' if files else 'text'}", issues)
    for members in by_group:
        leaving |= _leak(members, f"group '{members[0].group}'", issues)
    return issues, leaving


def refuse_if_two_labelled(samples: Sequence[Sample], issues: Iterable[Issue], root: str) -> None:
    """Stop where a large share of the samples are files that lie in two classes: a copy of all was taken for a class.

    Raises:
        DataError: it says how many, and names one.
    """
    conflicts = [issue for issue in issues if issue.kind == "conflicting_label"]
    if len(conflicts) < FEW or 2 * len(conflicts) < MOST * len(samples):
        return
    raise DataError(
        f"a file must be of one class, but of {len(samples)} in '{root}' {len(conflicts)} or more lie in two: "
        f"'{conflicts[0].subject}', {conflicts[0].detail}.",
        "One of these classes is probably a copy of others: take its folder out, or give the folder of one copy as the "
        "data.",
    )


def refuse_if_one_file_says_many_things(samples: Sequence[Sample], root: str) -> None:
    """Stop where many recordings stand in several rows each that tell of them different things: rows that are meant as
    pieces would be learned as the whole recording.

    Raises:
        DataError: it says how many, and names one.
    """
    own = (sample for sample in samples if sample.fields.get("audio"))
    same = _collect((sample, f"{sample.fields['audio']}\0{sample.fields.get('piece')}") for sample in own)
    torn = [members for members in same if len({_targets(sample, ("audio",)) for sample in members}) > 1]
    rows = sum(map(len, torn))
    if rows < FEW or rows < MOST * len(samples):
        return
    raise DataError(
        f"each row must be a recording of its own, but {rows:,} of {len(samples):,} rows of '{root}' name "
        f"only {len(torn):,} different files and say different things of them, the first '{torn[0][0].id}'.",
        "If rows are pieces of longer recordings, say where each begins and ends, in seconds, in columns start and "
        "end. If several people judged each recording, leave one row for each.",
    )


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


def _leak(members: list[Sample], what: str, issues: list[Issue]) -> set[str]:
    ranks = {RANK[sample.split] for sample in members}
    if len(ranks) < 2:
        return set()
    highest = max(ranks)
    gone = [sample for sample in members if RANK[sample.split] < highest]
    parts = " and ".join(NAMES[rank] for rank in sorted(ranks))
    for sample in gone:
        detail = f"{what} is in {parts}; left out of {NAMES[RANK[sample.split]]}"
        issues.append(Issue(kind="leak", subject=sample.id, detail=detail, drops=False))
    return {sample.id for sample in gone}
