"""Unique ids, data sets joined from several sources, and remarks about their classes."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from autoft.records import Dataset, Issue, Sample


def unique_ids(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """The samples with ` #2`, ` #3` ... behind an id that was there before, in the order given."""
    used: set[str] = set()
    times: Counter[str] = Counter()
    result = []
    for sample in samples:
        name = sample.id
        while name in used:
            times[sample.id] += 1
            name = f"{sample.id} #{times[sample.id] + 1}"
        used.add(name)
        result.append(sample if name == sample.id else msgspec.structs.replace(sample, id=name))
    return tuple(result)


def join(main: Dataset, parts: Sequence[tuple[str, Dataset]]) -> Dataset:
    """`main` with the samples of each (split, data set): they get that split, and a prefix where an id is taken.

    Samples of `main` that say no split then train.
    """
    samples = [s if s.split else msgspec.structs.replace(s, split="train") for s in main.samples]
    taken = {sample.id for sample in samples}
    issues, sentences = list(main.issues), [main.recognised]
    for split, part in parts:
        for sample in part.samples:
            name = f"{split}:{sample.id}" if sample.id in taken else sample.id
            samples.append(msgspec.structs.replace(sample, id=name, split=split))
        issues += part.issues
        sentences.append(f"{split} from '{part.root}' ({part.recognised})")
    return msgspec.structs.replace(
        main, samples=unique_ids(samples), recognised="; ".join(sentences), issues=tuple(issues)
    )


def remarks(samples: Sequence[Sample]) -> list[Issue]:
    """Issues about classes: with one sample, absent from training, or with names that look alike. None drops."""
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        one = sample.fields.get("label")
        for label in [one] if isinstance(one, str) else sample.fields.get("labels", ()):
            parts[label][sample.split] += 1
    given = any(sample.split in ("val", "test") for sample in samples)
    issues = []
    for label, counts in sorted(parts.items()):
        total = sum(counts.values())
        if total == 1:
            issues.append(Issue(kind="small_class", subject=label, detail="1 sample", drops=False))
        if given and counts["train"] + counts[""] == 0:
            detail = f"{total} in validation or test"
            issues.append(Issue(kind="unseen_class", subject=label, detail=detail, drops=False))
    return issues + _alike(sorted(parts))


def _alike(labels: Sequence[str]) -> list[Issue]:
    """Pairs that differ in case, spaces or Unicode form alone: often one class written in two ways."""
    seen: dict[str, str] = {}
    issues = []
    for label in labels:
        key = "".join(unicodedata.normalize("NFKC", label).casefold().split())
        if key in seen:
            detail = f"'{seen[key]}' and '{label}' are taken for two classes"
            issues.append(Issue(kind="alike_classes", subject=label, detail=detail, drops=False))
        seen.setdefault(key, label)
    return issues
