"""Recordings whose pieces are told by a file beside each: what is heard from one second to another (`_trackfiles`)."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from autoft.api import (
    AutoftError,
    DataError,
    Dataset,
    Issue,
    ReadOptions,
    Sample,
    UsageError,
    core_reader,
    did_you_mean,
    is_media,
    is_table,
    pieces_together,
    walk,
)
from autoft_speech import _beside, _trackfiles
from autoft_speech._lists import folder, part_of
from autoft_speech._trackfiles import ONLY, Tiers

USUAL = {
    "label": ("label", "labels", "class", "event", "events", "species", "annotation", "annotations", "category"),
    "transcript": (
        *("utterance", "utterances", "sentence", "sentences", "text", "transcript", "transcription", "ortho"),
        *("orthography", "phrase", "phrases"),
    ),
}
"""What tiers are called that hold what is to be learned, the likeliest first."""
ALIGNED = re.compile(r"(.*[\W_])?(words?|phones?|phonemes?|segments?|syllables?|mau)", re.IGNORECASE)
"""What tiers are called that tell where each word or sound of a transcript lies: none of them is a transcript."""

TEXTS = (".txt", ".lab")
"""What lies beside a recording and may say all of it."""
PEEK = 20
"""Text files of recordings' names that are looked at: where none of them tells pieces, none is said to."""
NOTES = 0.1
"""Of recordings with tracks, the share of such with transcripts below which the transcripts are stray notes."""
WEAKEST = "names"
"""The reader of core whose signs are weaker than a tier with a usual name."""
TIER = "tier"
"""Under this word a model remembers the tiers that it was trained on, and so that they came from such files."""


class _Found(NamedTuple):
    recordings: dict[str, list[str]]
    """Name without suffix -> paths."""
    tracks: dict[str, str]
    """Path of a file -> the recording that it is about."""
    unclear: list[str]
    """Files that could be about several recordings."""


class TracksReader:
    """Pieces of recordings, by label tracks, TextGrids, `.eaf` files or selection tables beside them."""

    name = "tracks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at the first lines of files named as recordings are.

        Only what nothing else reads is taken, unless a tier is named: recordings with transcripts are left to the
        readers of these, class folders and names that tell classes to those of core, and so is all with a table.
        Predictions are for recordings as they are, but of models that were trained on such pieces.
        """
        if options.optional and TIER not in options.guessed:
            return ""
        found = _claimed(source, options)
        return _said(found) if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each piece that something is said of.

        Raises:
            DataError: there are no such files, or several tiers could be meant.
            UsageError: there is no tier of the name that was given.
        """
        found, target = _claimed(source, options), _target(options)
        if not found:
            raise DataError(f"'{source}' must hold recordings and files that tell their pieces, but it does not.")
        issues = [_several(os.path.relpath(path, source)) for path in found.unclear]
        tiers = {path: _trackfiles.read(path, issues) for path in sorted(found.tracks)}
        chosen = _chosen(tiers, options.columns.get(target, ""), options.guessed.get(TIER, ""), target, source)
        samples = list(_samples(found, tiers, chosen, target, source, options, issues))
        samples, cut = pieces_together(samples)
        named = f", tier {' and '.join(map(repr, chosen))}" if chosen != [ONLY] else ""
        words = f"{_said(found)}{named}: {cut}" + _parts(samples) + _without(found)
        return Dataset(
            samples=tuple(samples),
            reader=self.name,
            root=str(Path(source).absolute()),
            recognised=words,
            issues=tuple(issues),
            columns={TIER: ",".join(chosen)},
        )


def _claimed(source: str, options: ReadOptions) -> _Found | None:
    """What lies there, if there are tracks and no other reader has a better claim."""
    target, root = _target(options), folder(source)
    if not target or not root or any(is_table(path.name) for path in root.iterdir()):
        return None
    found = _look(source)
    return found if found.tracks and _free(found, root, target, options) else None


def _said(found: _Found) -> str:
    forms = Counter(_trackfiles.kind(path) for path in found.tracks)
    return f"pieces of recordings by {' and '.join(sorted(forms))} files beside them"


def _target(options: ReadOptions) -> str:
    """What is to be learned of recordings; empty where it is nothing that a tier can hold."""
    needs = [field for field in options.needs if field != "audio"]
    return needs[0] if "audio" in options.needs and len(needs) == 1 and needs[0] in USUAL else ""


def _look(source: str) -> _Found:
    recordings: dict[str, list[str]] = defaultdict(list)
    others = []
    for path in walk(source):
        if is_media(path, "audio"):
            recordings[Path(path).stem].append(path)
        elif path.lower().endswith((*_trackfiles.TRACKS, *TEXTS)):
            others.append(path)
    tracks: dict[str, str] = {}
    unclear = list[str]()
    plain = 0
    for path in others:
        about = recordings.get(_trackfiles.stem(path), [])
        if not about or (plain >= PEEK and not tracks and path.lower().endswith(TEXTS)):
            continue
        if _trackfiles.kind(path):
            nearest = _nearest(about, path)
            unclear += [] if nearest else [path]
            tracks |= {path: nearest} if nearest else {}
        else:
            plain += path.lower().endswith(TEXTS)
    return _Found(recordings, tracks, unclear)


def _nearest(paths: Sequence[str], track: str) -> str:
    """The recording whose folders are called most as those of a file (`labels/s2` and `audio/s2`), or which shares most
    folders with it (`s2/labels` and `s2/audio`); empty where that is not one. Copies in one folder are one."""

    def alike(path: str) -> tuple[int, int]:
        one, other = (Path(name).parent.parts[::-1] for name in (path, track))
        ends = takewhile(lambda names: names[0] == names[1], zip(one, other, strict=False))
        return sum(1 for _ in ends), len(os.path.commonpath([path, track]))

    best = max(map(alike, paths))
    found = [path for path in paths if alike(path) == best]
    return found[0] if len({Path(path).parent for path in found}) == 1 else ""


def _free(found: _Found, root: Path, target: str, options: ReadOptions) -> bool:
    """Whether no other reader has a better claim to the recordings: one that reads them without the tracks."""
    named = options.columns.get(target, "")
    if not named and (target == "label" or options.optional) and not _most(found):
        return False
    if options.optional:
        return True
    if not named and target == "label" and not _flat(found):
        return False
    if not named and target == "transcript":
        told = _beside.told(root, found.tracks)
        if told and len(told) >= NOTES * len({*found.tracks.values()}):
            return False
    other = _read_by_core(str(root), options)
    if not other:
        return True
    tiers = [_trackfiles.filled(_trackfiles.read(path, [])) for path in found.tracks]
    if named:
        return any(_asked(named, names, target) for names in tiers)
    return other == WEAKEST and any(_usual(names, target) for names in tiers)


def _most(found: _Found) -> bool:
    """Whether half of the recordings or more have such a file."""
    count = len({path for paths in found.recordings.values() for path in paths})
    return 2 * len({*found.tracks.values()}) >= count


def _read_by_core(source: str, options: ReadOptions) -> str:
    """The name of the reader of core that can read the recordings, if one can."""
    try:
        reader = core_reader(source, options)
        return reader.name if reader and reader.read(source, options).samples else ""
    except AutoftError:  # it takes something else for its own, such as one label track for a table
        return ""


def _flat(found: _Found) -> bool:
    """Whether the recordings lie in one folder, or in folders of parts."""
    folders = {Path(path).parent for paths in found.recordings.values() for path in paths}
    return len(folders) == 1 or all(part_of(folder.name) for folder in folders)


def _chosen(tiers: Mapping[str, Tiers], named: str, known: str, target: str, source: str) -> list[str]:
    """The tiers that hold what is to be learned: those named, those that a model was trained on, the only one, or the
    one with the likeliest name.

    Raises:
        DataError: several could be meant, or none says anything.
        UsageError: there is none of a name that was given.
    """
    counts = Counter(name for one in tiers.values() for name in _trackfiles.filled(one))
    if named:
        if asked := _asked(named, [*counts], target):
            return asked
        wrong = next(name for name in _listed(named) if name not in counts)
        raise UsageError(
            f"--target must name a tier of the files in '{source}', but got '{wrong}'."
            f"{did_you_mean(wrong, list(counts))}",
            f"Their tiers are: {', '.join(filter(None, counts)) or 'none with a name'}",
        )
    if not counts:
        raise DataError(f"the files in '{source}' must say what is heard in pieces of recordings, but all are empty.")
    if known and (asked := _asked(known, [*counts], target)):
        return asked
    usual = _usual([*counts], target)
    others = [name for name in counts if target != "transcript" or not ALIGNED.fullmatch(name)]
    if len(others) != 1 and not usual:
        first = {name: _first(tiers, name) for name in counts}
        shown = ", ".join(f"{name or 'no name'} (the first says '{words}')" for name, words in first.items())
        why = "several could be" if others else "none is called so"
        raise DataError(
            f"one tier of the files in '{source}' must be the {target}, but {why}: {shown}.",
            "Name it, or several that hold the same kind of thing: --target TIER or --target TIER,TIER",
        )
    return usual[:1] or others


def _asked(named: str, names: Sequence[str], target: str) -> list[str]:
    """The tiers that the user means by what was given; none where one of them is not there. A tier without a name is
    called by any of the usual ones."""
    if [*names] == [ONLY] and named in USUAL[target]:
        return [ONLY]
    asked = [named] if named in names else _listed(named)
    return asked if {*asked} <= {*names} else []


def _listed(named: str) -> list[str]:
    return [name.strip() for name in named.split(",")]


def _usual(names: Sequence[str], target: str) -> list[str]:
    """Those that are called as what is to be learned, the likeliest first."""
    lower = {name.lower(): name for name in reversed(names)}
    return [lower[name] for name in USUAL[target] if name in lower]


def _first(tiers: Mapping[str, Tiers], name: str) -> str:
    return next(mark.words for one in tiers.values() for mark in one.get(name, ()) if mark.words)[:40]


def _samples(
    found: _Found,
    tiers: Mapping[str, Tiers],
    chosen: Sequence[str],
    target: str,
    source: str,
    options: ReadOptions,
    issues: list[Issue],
) -> Iterator[Sample]:
    for track, one in tiers.items():
        path = found.tracks[track]
        where = os.path.relpath(path, source).replace(os.sep, "/")
        split = part_of(str(Path(where).parent))
        for mark in dict.fromkeys(mark for name in chosen for mark in one.get(name, ())):
            place = f"{where}@{mark.begin:g}-{mark.end:g}s"
            if not mark.words and target not in options.optional:
                continue  # the gaps of a TextGrid, and labels that nobody wrote
            if not 0 <= mark.begin < mark.end:
                issues.append(Issue(kind="no_piece", subject=place, detail=f"'{mark.words}' lasts no time"))
                continue
            fields = {"audio": path, "piece": [round(mark.begin, 4), round(mark.end, 4)]}
            yield Sample(id=place, fields=fields | ({target: mark.words} if mark.words else {}), split=split)


def _several(where: str) -> Issue:
    return Issue(kind="missing", subject=where.replace(os.sep, "/"), detail="several recordings have this name")


def _parts(samples: Sequence[Sample]) -> str:
    counts = Counter(sample.split for sample in samples if sample.split)
    return f" ({', '.join(f'{count} {split}' for split, count in sorted(counts.items()))})" if counts else ""


def _without(found: _Found) -> str:
    """How many recordings have no such file."""
    count = len({path for paths in found.recordings.values() for path in paths} - {*found.tracks.values()})
    return f"; {count} recording{'s' * (count != 1)} without such a file left out" if count else ""
