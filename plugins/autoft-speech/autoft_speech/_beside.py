"""Transcripts in text files: one beside each recording with its name (VCTK), or lists whose lines begin with names.

Lists are those of LibriSpeech (`84-121123.trans.txt`), Multilingual LibriSpeech (`transcripts.txt`), AISHELL, VoxForge
(`PROMPTS`) and festvox (`txt.done.data`). A folder named train, dev or test, or `train-clean-100`, is a part.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, is_media, walk
from autoft_speech._lists import folder_of, lines, part_of

TEXTS = (".txt", ".lab", ".trn", ".data")
NAMES = ("prompts", "text")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".scp")
"""Where the folder has one of these, it says what belongs together."""
PEEK = 20
"""Lines by which a list is told."""
ENTRY = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)|([^|\t]+)\|([^|]*)(?:\|.*)?|(\S+)\s+(\S.*)')
"""`( name "words" )`, `name|words|more`, `name words`."""

TIMES = re.compile(r"\d+ \d+ \S.*")
"""How each transcript of TIMIT begins: the first sample and the last."""


class _Files(NamedTuple):
    recordings: dict[str, list[str]]
    """Name without suffix -> paths."""
    texts: list[str]


class BesideReader:
    """Recordings with text files."""

    name = "transcripts"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at names, and at the first lines of a few files."""
        root = folder_of(source, options)
        if root is None or any(path.suffix.lower() in TABLES for path in root.iterdir()):
            return ""
        files = _files(root)
        if any(_own(text, files) for text in files.texts):
            return "text files with the names of recordings"
        return "lists of transcripts" if any(_is_list(text, files) for text in files.texts[:PEEK]) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each recording with a transcript.

        Raises:
            DataError: there are none, or a text is not in UTF-8.
        """
        root = folder_of(source, options)
        words = self.sniff(source, options)
        if root is None or not words:
            raise DataError(f"'{source}' must hold recordings and text files with what is said, but it does not.")
        files = _files(root)
        said: dict[str, str] = {}
        cut = ""
        issues: list[Issue] = []
        for text in files.texts:
            for name, transcript in _entries(text, files):
                path = _nearest(files.recordings[name], text)
                where = f"{os.path.relpath(text, root)}: {name}"
                if not path:
                    issues.append(Issue(kind="missing", subject=where, detail="several recordings have this name"))
                elif transcript:
                    said.setdefault(path, transcript)
        if said and all(map(TIMES.fullmatch, said.values())):
            said = {path: words.split(maxsplit=2)[2] for path, words in said.items()}
            cut = ", the two numbers before each are places in the recording and left out"
        paths = sorted(path for found in files.recordings.values() for path in found)
        splits = _splits(root, paths)
        samples = []
        for path in paths:
            where = os.path.relpath(path, root).replace(os.sep, "/")
            if path in said:
                fields = {"audio": path, "transcript": said[path]}
            elif "transcript" in options.optional:
                fields = {"audio": path}
            else:
                issues.append(Issue(kind="no_transcript", subject=where, detail="no text file has it"))
                continue
            samples.append(Sample(id=where, fields=fields, split=splits.get(path, "")))
        sentence = f"{words}: {len(samples)} recordings with transcripts{cut}"
        counts = Counter(sample.split for sample in samples if sample.split)
        sentence += f" ({', '.join(f'{count} {split}' for split, count in sorted(counts.items()))})" if counts else ""
        return Dataset(
            samples=tuple(samples), reader=self.name, root=str(root), recognised=sentence, issues=tuple(issues)
        )


def _files(root: Path) -> _Files:
    recordings: dict[str, list[str]] = defaultdict(list)
    texts = []
    for path in walk(str(root)):
        if is_media(path, "audio"):
            recordings[Path(path).stem].append(path)
        elif path.lower().endswith(TEXTS) or Path(path).name.lower() in NAMES:
            texts.append(path)
    return _Files(dict(recordings), texts)


def _own(text: str, files: _Files) -> str:
    """The name of the recordings that a file belongs to alone, or an empty string."""
    stem = Path(text).stem
    stem = Path(stem).stem if is_media(stem, "audio") else stem
    return stem if stem in files.recordings else ""


def _entries(text: str, files: _Files) -> Iterator[tuple[str, str]]:
    """(name of a recording, what is said) as a text file has them."""
    own = _own(text, files)
    if own:
        found = [line.strip() for _, line in lines(Path(text))]
        yield own, " ".join(found[:1] if text.lower().endswith(".trn") else found)
    elif _is_list(text, files):
        for _, line in lines(Path(text)):
            name, said = _entry(line)
            if name in files.recordings:
                yield name, said


def _entry(line: str) -> tuple[str, str]:
    found = ENTRY.fullmatch(line.strip())
    if not found:
        return "", ""
    name, said = [word for word in found.groups() if word is not None]
    name = Path(name.strip()).name
    return (Path(name).stem if is_media(name, "audio") else name), said.strip()


def _is_list(text: str, files: _Files) -> bool:
    """Whether most of the first lines begin with the name of a recording."""
    try:
        with open(text, encoding="utf-8-sig") as file:
            head = [line for _, line in zip(range(PEEK), file, strict=False) if line.strip()]
    except (OSError, UnicodeDecodeError):  # whatever it is, it is no list that can be read
        return False
    known = sum(_entry(line)[0] in files.recordings for line in head)
    return bool(head) and 2 * known > len(head)


def _nearest(paths: list[str], text: str) -> str:
    """The recording that shares most folders with a text file, or an empty string where several do."""
    shared = [len(os.path.commonpath([path, text])) for path in paths]
    nearest = [path for path, length in zip(paths, shared, strict=True) if length == max(shared)]
    return nearest[0] if len(nearest) == 1 else ""


def _splits(root: Path, paths: list[str]) -> dict[str, str]:
    """Path -> part, as folders below the root say; none where no folder is for training."""
    found = {}
    for path in paths:
        part = part_of(os.path.relpath(Path(path).parent, root))
        if part:
            found[path] = part
    return found if "train" in found.values() else {}
