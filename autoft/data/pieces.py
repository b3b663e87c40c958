"""Pieces of longer recordings: a sample may be a part of its file, from one second to another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from autoft.records import Sample

PIECE: Final = "piece"
"""Field of the seconds at which a piece begins and ends in its file. All of the file is meant where there is none."""
FEWEST: Final = 3
"""Recordings for parts of their own."""
LARGEST: Final = 0.5
"""Share of the pieces that one recording may have: more leave too little for other parts."""
LEAST: Final = 0.9
"""Share of the labels that must be of classes which `FEWEST` recordings have: others could not train, validate and
test."""
INSIDE: Final = 0.5
"""Share of a piece that must lie in its recording: times are rounded, and some files end a little early."""


class Span(NamedTuple):
    """Where in its file a sample lies."""

    begin: float = 0.0
    end: float = 0.0
    """0 is the end of the file."""

    def frames(self, total: int, rate: int) -> tuple[int, int]:
        """The first of the `total` frames of a file, and how many there are."""
        first = min(total, round(self.begin * rate))
        last = min(total, round(self.end * rate)) if self.end else total
        return first, max(0, last - first)


WHOLE: Final = Span()


def span_of(sample: Sample) -> Span:
    """Where in its file a sample lies."""
    piece = sample.fields.get(PIECE)
    return Span(float(piece[0]), float(piece[1])) if piece else WHOLE


def inside(span: Span, seconds: float) -> float:
    """Seconds of a piece that lie in a recording of so many seconds; 0 where these are too little of it."""
    if not span.end:
        return seconds
    found = min(span.end, seconds) - span.begin
    return found if found >= INSIDE * (span.end - span.begin) > 0 else 0.0


def named(name: str, span: Span) -> str:
    """What a piece of the recording `name` is called: `talk.wav@12.5-15s`."""
    return f"{name}@{span.begin:g}-{span.end:g}s"


def together(samples: Sequence[Sample]) -> tuple[list[Sample], str]:
    """The samples with groups that keep the pieces of one recording in one part, and what to say of them.

    Groups that are known, such as speakers, stay whole as well: where a recording has several, these are one. Where the
    data give the parts, or the recordings are too few or too uneven for parts of their own, in all or in most classes,
    nobody is moved.
    """
    own = [sample for sample in samples if PIECE in sample.fields]
    if not own:
        return list(samples), ""
    files = Counter(str(sample.fields["audio"]) for sample in own)
    said = f"{len(own):,} pieces of {len(files):,} recording{'s' * (len(files) != 1)}"
    if any(sample.split in ("val", "test") for sample in samples):
        divided = len({(sample.fields["audio"], sample.split) for sample in own}) > len(files)
        return list(samples), said + (", of which some lie in several of the given parts" if divided else "")
    groups = _joined(own)
    counts = Counter(groups[str(sample.fields["audio"])] for sample in own)
    if len(counts) < FEWEST or max(counts.values()) > LARGEST * len(own) or not _in_each_class(own, groups):
        few = "too few or too uneven for parts of their own: pieces of one recording may train and test"
        return list(samples), f"{said}, {few}, which makes scores look better than they are"
    kept = [
        msgspec.structs.replace(sample, group=groups[str(sample.fields["audio"])]) if PIECE in sample.fields else sample
        for sample in samples
    ]
    return kept, f"{said}, those of one stay in one part"


def _in_each_class(samples: Sequence[Sample], groups: Mapping[str, str]) -> bool:
    """Whether nearly all labels are of classes that have recordings enough for each part."""
    within: dict[str, set[str]] = defaultdict(set)
    times: Counter[str] = Counter()
    for sample in samples:
        one = sample.fields.get("label")
        for name in sample.fields.get("labels", ()) if one is None else [str(one)]:
            within[name].add(groups[str(sample.fields["audio"])])
            times[name] += 1
    enough = sum(count for name, count in times.items() if len(within[name]) >= FEWEST)
    return enough >= LEAST * times.total()


def _joined(samples: Sequence[Sample]) -> dict[str, str]:
    """File -> its group: the file itself, or the first of the groups that it and others share."""
    leader: dict[str, str] = {}

    def first(key: str) -> str:
        while leader.setdefault(key, key) != key:
            key = leader[key]
        return key

    for sample in samples:
        file, group = first(f"\0{sample.fields['audio']}"), sample.group and first(sample.group)
        if group and file != group:
            leader[max(file, group)] = min(file, group)
    lowest: dict[str, str] = {}
    for key in sorted(leader):  # the name of a group that is known, where one is
        root = first(key)
        lowest[root] = key if root not in lowest or lowest[root].startswith("\0") else lowest[root]
    files = {str(sample.fields["audio"]) for sample in samples}
    return {file: lowest[first(f"\0{file}")].removeprefix("\0") for file in files}
