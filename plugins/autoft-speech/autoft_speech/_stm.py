"""Recordings whose pieces `.stm` files tell, the form of NIST's scoring tools (TED-LIUM): in each line a recording, its
channel, who speaks, first and last second, perhaps `<labels>`, and what is said.

What is called `ignore_time_segment_in_scoring` is no speech that anybody wrote down, and is left out. Folders named
train, dev and test above the files are parts.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, is_media, pieces_together, walk
from autoft_speech._lists import folder_of, lines, missing, part_of

SUFFIX = ".stm"
LINE = re.compile(r"(\S+)\s+(\S+)\s+(\S+)\s+(\d+(?:\.\d*)?)\s+(\d+(?:\.\d*)?)(?:\s+<[^<>\s]*>)?(?:\s+(.*))?")
COMMENT = ";;"
NOTHING = "ignore_time_segment_in_scoring"
FEWEST = 3
"""Speakers for parts of their own."""


class StmReader:
    """Recordings, and `.stm` files with what is said in their pieces."""

    name = "stm"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at names alone."""
        root = folder_of(source, options)
        found = root is not None and any(path.lower().endswith(SUFFIX) for path in walk(str(root)))
        return "pieces of recordings in .stm files" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each piece with words.

        Raises:
            DataError: there are no such files, or one cannot be read.
        """
        root = folder_of(source, options)
        if root is None or not self.sniff(source, options):
            raise DataError(f"'{source}' must hold recordings and .stm files, but it does not.")
        samples: list[Sample] = []
        issues: list[Issue] = []
        skipped = 0
        for piece in _pieces(root, issues):
            if piece.words == NOTHING:
                skipped += 1
            elif not piece.words and "transcript" not in options.optional:
                issues.append(Issue(kind="no_transcript", subject=piece.where, detail="no words behind the times"))
            else:
                fields = {"audio": piece.path, "transcript": piece.words, "piece": [piece.begin, piece.end]}
                samples.append(Sample(id=piece.where, fields=fields, split=piece.split, group=piece.speaker))
        people = Counter(sample.group for sample in samples)
        if len(people) < FEWEST:  # too few for parts of their own
            samples = [msgspec.structs.replace(sample, group="") for sample in samples]
        samples, cut = pieces_together(samples)
        words = f"{self.sniff(source, options)}: {len(people)} speakers, {cut}"
        words += f"; {skipped} that are not to be scored are left out" if skipped else ""
        return Dataset(samples=tuple(samples), reader=self.name, root=str(root), recognised=words, issues=tuple(issues))


class _Piece(NamedTuple):
    where: str
    path: str
    speaker: str
    begin: float
    end: float
    words: str
    split: str


def _pieces(root: Path, issues: list[Issue]) -> Iterator[_Piece]:
    """All pieces of recordings that are there; what cannot be used becomes an issue."""
    paths = list(walk(str(root)))
    recordings: dict[str, list[str]] = {}
    for path in paths:
        if is_media(path, "audio"):
            recordings.setdefault(Path(path).stem, []).append(path)
    for text in (path for path in paths if path.lower().endswith(SUFFIX)):
        shown = os.path.relpath(text, root).replace(os.sep, "/")
        split = part_of(shown.removesuffix(SUFFIX))
        for number, line in lines(Path(text)):
            if line.startswith(COMMENT):
                continue
            found = LINE.fullmatch(line.strip())
            begin, end = (float(found[4]), float(found[5])) if found else (0.0, 0.0)
            if not found or not begin < end:
                issues.append(Issue(kind="no_piece", subject=f"{shown} line {number}", detail="no times of a piece"))
                continue
            path = _nearest(recordings.get(found[1], []), text)
            if not path:
                issues.append(missing(f"{shown} line {number}", found[1]))
                continue
            where = f"{os.path.relpath(path, root).replace(os.sep, '/')}@{begin:g}-{end:g}s"
            yield _Piece(where, path, found[3], begin, end, (found[6] or "").strip(), split)


def _nearest(found: list[str], text: str) -> str:
    """The recording that shares most folders with the file that tells its pieces; none where there is none."""
    return max(found, key=lambda path: len(os.path.commonpath([path, text])), default="")
