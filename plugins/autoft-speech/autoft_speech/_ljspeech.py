"""The form of the LJ Speech data set: metadata.csv with lines name|transcript|normalised, recordings in wavs/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, is_media
from autoft_speech import _fields
from autoft_speech._lists import folder_of, lines, missing

FILE, FOLDER = "metadata.csv", "wavs"
PEEK = 4096
TRANSCRIPTS = ("normalized_text", "normalized_transcription", "transcription", "transcript", "sentence", "text")
"""Names of the column with what is said, where the first line has names."""


class LjspeechReader:
    """Names with or without suffixes, fields between bars, no quotes, seldom a line of names."""

    name = "ljspeech"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at the first line."""
        root = _root(source, options)
        if root is None or not (root / FILE).is_file() or not (root / FOLDER).is_dir():
            return ""
        try:
            with (root / FILE).open("rb") as file:
                first = file.readline(PEEK).decode("utf-8", "replace")
        except OSError:  # it cannot be read, so it cannot be recognised
            return ""
        name, bar, _ = first.partition("|")
        return f"{FILE} of lines name|transcript, as LJ Speech has it" if bar and "," not in name else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line whose recording is there.

        A line of names says where what is said stands, else `_fields.place` finds it.

        Raises:
            DataError: it is not in this form, or not in UTF-8.
        """
        root = _root(source, options)
        if root is None or not self.sniff(source, options):
            raise DataError(f"'{source}' must hold {FILE} with lines name|transcript and {FOLDER}/, but it does not.")
        files = {path.stem: path for path in sorted((root / FOLDER).iterdir()) if is_media(str(path), "audio")}
        rows = [(number, [cell.strip() for cell in line.split("|")]) for number, line in lines(root / FILE)]
        place = _named(rows[0][1], files) if rows else 0
        rows = rows[1:] if place else rows
        place = place or _fields.place([cells for _, cells in rows])
        samples: list[Sample] = []
        issues: list[Issue] = []
        seen: set[str] = set()
        for number, cells in rows:
            name = _stem(cells[0])
            said = cells[place] if len(cells) > place else cells[-1] if len(cells) > 1 else ""
            if not said:
                issues.append(Issue(kind="no_transcript", subject=f"line {number}", detail="|".join(cells)[:80]))
            elif name not in files:
                issues.append(missing(f"line {number}", f"{FOLDER}/{cells[0]}"))
            elif name in seen:
                issues.append(Issue(kind="bad_row", subject=f"line {number}", detail=f"'{name}' is named twice"))
            else:
                seen.add(name)
                samples.append(Sample(id=name, fields={"audio": str(files[name]), "transcript": said}))
        words = f"{FILE} as LJ Speech has it: {len(samples)} recordings with transcripts"
        words += f" ({_fields.shown(place, samples[0].fields['transcript'])})" if samples else ""
        return Dataset(samples=tuple(samples), reader=self.name, root=str(root), recognised=words, issues=tuple(issues))


def _root(source: str, options: ReadOptions) -> Path | None:
    """The folder, also where its list is named, and the one that an archive wraps."""
    listed = source.endswith(FILE) and "\0" not in source
    root = folder_of(str(Path(source).absolute().parent) if listed else source, options)
    inner = sorted(path for path in root.iterdir() if not path.name.startswith(".")) if root else []
    return inner[0] if len(inner) == 1 and (inner[0] / FOLDER).is_dir() else root


def _stem(name: str) -> str:
    """The name of a recording, which may have folders above it and a suffix."""
    return Path(name).stem if is_media(name, "audio") else Path(name).name


def _named(cells: Sequence[str], files: dict[str, Path]) -> int:
    """The place of what is said, if these are names of columns; else 0, where no transcript stands."""
    names = [cell.lower() for cell in cells]
    if _stem(cells[0]) in files:
        return 0
    return next((names.index(name) for name in TRANSCRIPTS if name in names[1:]), 0)
