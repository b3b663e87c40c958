"""Parts of a table's files by lists beside it: `train_val_list.txt` and `test_list.txt` of NIH's chest X-rays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from autoft.data import partlists
from autoft.records import Issue, Sample

ENOUGH: Final = 0.8
"""Share of the rows that lists must give a part, to be about the table: shorter ones are a trial, or of other data."""


class Listed(NamedTuple):
    samples: tuple[Sample, ...]
    issues: tuple[Issue, ...] = ()
    said: tuple[str, ...] = ()
    """For the user."""


def parted(samples: Sequence[Sample], root: str, field: str, grouped: bool) -> Listed:
    """The samples with the parts that lists say, where nothing else says any, and they say it of most. What a list for
    training does not name is left out, as beside class folders.

    Args:
        root: the folder of the table.
        grouped: the user named the groups. Others are given up where one is in several parts.
    """
    same = Listed(tuple(samples))
    if not field or not samples or any(sample.split or field not in sample.fields for sample in samples):
        return same
    lists = partlists.find(root, root, field, list(dict.fromkeys(str(sample.fields[field]) for sample in samples)))
    if not lists:
        return same
    found = [
        msgspec.structs.replace(sample, split=lists.of.get(str(sample.fields[field]), lists.rest)) for sample in samples
    ]
    issues = tuple(Issue(kind="unlisted", subject=sample.id, drops=False) for sample in found if not sample.split)
    kept = [sample for sample in found if sample.split]
    if len(kept) < ENOUGH * len(found):
        return Listed(same.samples, (), (f"{' and '.join(lists.lists)} give {len(kept)} rows a part and are not read",))
    said = f"parts as {' and '.join(lists.lists)} say"
    pairs = {(sample.group, sample.split) for sample in kept if sample.group}
    if not grouped and len(pairs) > len({group for group, _ in pairs}):
        kept = [msgspec.structs.replace(sample, group="") for sample in kept]
        said += ", which divide groups"
    return Listed(tuple(kept), issues, (said,))
