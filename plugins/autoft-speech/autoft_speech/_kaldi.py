"""Data folders of Kaldi: `text` (utterance, then what is said) and `wav.scp` (utterance, then a file).

With `segments` (utterance, recording, first and last second) utterances are pieces of the recordings that `wav.scp`
names. `utt2spk` gives the speakers, whose utterances never straddle splits. Files may be named from the folder itself
or from any folder above it, where the recipe was run. A command in `wav.scp` (a line that ends with |) is never run; of
one that only decodes a file (`_piped`), the file is read. Files of another machine (`/corpora/x/wav/a.wav`) are looked
for by the last folders of their names, by the last name alone where no other file of the lists is called so; where
two would be one file, neither is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, pieces_together
from autoft_speech._lists import folder_of, lines, missing, part_of
from autoft_speech._piped import file_of

ABOVE = 4
"""Folders around a data folder in which files of another machine are looked for."""


class KaldiReader:
    """One data folder, or a folder with data folders named train, dev, test."""

    name = "kaldi"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is a data folder of Kaldi, or an empty string. Looks at names alone."""
        found = _parts(source, options)
        where = ", ".join(part.name for part, _ in found)
        return f"text and wav.scp of Kaldi in {where}" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each utterance with a file.

        Raises:
            DataError: no such folder, or a list that cannot be read.
        """
        found = _parts(source, options)
        if not found:
            raise DataError(f"'{source}' must hold the files text and wav.scp of Kaldi, but it does not.")
        samples: list[Sample] = []
        issues: list[Issue] = []
        lists = {part: {name: _recording(words) for name, words in _pairs(part / "wav.scp")} for part, _ in found}
        files = _files(lists)
        for part, split in found:
            prefix = f"{part.name}/" if len(found) > 1 else ""
            _read(part, split, prefix, lists[part], files, options, samples, issues)
        samples, cut = pieces_together(samples)
        words = f"Kaldi data ({', '.join(part.name for part, _ in found)}): {len(samples)} utterances"
        words += f", {cut}" if cut else ""
        root = str(Path(source).absolute())
        return Dataset(samples=tuple(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _parts(source: str, options: ReadOptions) -> list[tuple[Path, str]]:
    """Data folders and the splits that their names say."""
    root = folder_of(source, options)
    if root is None:
        return []
    if _is_data(root):
        return [(root, "")]
    for folder in (root, root / "data"):
        children = sorted(folder.iterdir()) if folder.is_dir() else []
        found = [(child, part_of(child.name)) for child in children if child.is_dir() and _is_data(child)]
        if found:
            return found
    return []


def _is_data(folder: Path) -> bool:
    return (folder / "wav.scp").is_file() and ((folder / "text").is_file() or not (folder / "text").exists())


def _read(
    part: Path,
    split: str,
    prefix: str,
    recordings: Mapping[str, str],
    files: Mapping[tuple[Path, str], Path],
    options: ReadOptions,
    samples: list[Sample],
    issues: list[Issue],
) -> None:
    texts = dict(_pairs(part / "text")) if (part / "text").exists() else {}
    speakers = dict(_pairs(part / "utt2spk")) if (part / "utt2spk").exists() else {}
    for name, recording, piece in _utterances(part, recordings, prefix, issues):
        where, words = f"{prefix}{name}", recordings[recording]
        if words.endswith("|"):
            issues.append(
                Issue(kind="piped", subject=where, detail="a command is never run; write its output to a file")
            )
            continue
        path = files.get((part, words))
        if path is None:
            issues.append(missing(where, words))
            continue
        fields: dict[str, Any] = {"audio": str(path), **({"piece": piece} if piece else {})}
        if name in texts:
            fields["transcript"] = texts[name]
        elif "transcript" not in options.optional:
            issues.append(Issue(kind="no_transcript", subject=where, detail="it is not in text"))
            continue
        samples.append(Sample(id=where, fields=fields, split=split, group=speakers.get(name, "")))


def _recording(words: str) -> str:
    return (file_of(words) or words) if words.endswith("|") else words


def _utterances(
    part: Path, recordings: Mapping[str, str], prefix: str, issues: list[Issue]
) -> Iterator[tuple[str, str, tuple[float, float] | None]]:
    """(utterance, recording, where in it): all of it where there is no `segments`."""
    if not (part / "segments").exists():
        yield from ((name, name, None) for name in recordings)
        return
    for name, words in _pairs(part / "segments"):
        try:
            recording, begin, end = words.split()[:3]
            piece = float(begin), float(end)
        except ValueError:
            recording, piece = "", (0.0, 0.0)
        if recording in recordings and 0 <= piece[0] < piece[1]:
            yield name, recording, piece
        else:
            detail = f"segments says '{words[:60]}'"
            issues.append(Issue(kind="no_piece", subject=f"{prefix}{name}", detail=detail))


def _pairs(file: Path) -> list[tuple[str, str]]:
    """First word and rest of each line."""
    return [(words[0], "".join(words[1:]).strip()) for _, line in lines(file) for words in [line.split(maxsplit=1)]]


def _files(lists: Mapping[Path, Mapping[str, str]]) -> dict[tuple[Path, str], Path]:
    """The files that are there, by data folder and name in its `wav.scp`. Names of another machine never share one."""
    named = [(part, words) for part, recordings in lists.items() for words in dict.fromkeys(recordings.values())]
    found = {(part, words): path for part, words in named if (path := _as_named(part, words))}
    last = Counter(Path(words).name for words in {words for _, words in named})
    elsewhere = {
        (part, words): path
        for part, words in named
        if (part, words) not in found and (path := _by_folders(part, words, last[Path(words).name] == 1))
    }
    takers: dict[Path, set[str]] = defaultdict(set)
    for (_, words), path in (found | elsewhere).items():
        takers[path.resolve()].add(words)
    return found | {key: path for key, path in elsewhere.items() if len(takers[path.resolve()]) == 1}


def _as_named(part: Path, words: str) -> Path | None:
    return next((path for folder in (part, *part.parents) if (path := folder / words).is_file()), None)


def _by_folders(part: Path, words: str, alone: bool) -> Path | None:
    """The file that ends in as many of the last folders of a name as there are; the name of the file does only where it
    is `alone`."""
    pieces = Path(words).parts
    for first in range(1, len(pieces) - (not alone)) if Path(words).is_absolute() else ():
        for folder in (part, *part.parents[:ABOVE]):
            path = folder.joinpath(*pieces[first:])
            if path.is_file():
                return path
    return None
