"""Transcripts in text files: one beside each recording with its name (VCTK), or lists whose lines begin with names.

Lists are those of LibriSpeech (`84-121123.trans.txt`), Multilingual LibriSpeech (`transcripts.txt`), AISHELL, VoxForge
(`PROMPTS`), festvox (`txt.done.data`) and Sphinx (`an4_train.transcription`). A folder named train, dev or test, or
`train-clean-100`, is a part.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft.api import DataError, Dataset, Issue, ReadOptions, Sample, is_media, walk
from autoft_speech import _fields
from autoft_speech._characters import normalise
from autoft_speech._lists import folder_of, lines, part_of
from autoft_speech._speakers import speakers

TEXTS = (".txt", ".lab", ".trn", ".data", ".transcription")
NAMES = ("prompts", "text")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".scp")
"""Where the folder has one of these that names recordings, it says what belongs together."""
PEEK = 20
"""Lines by which a list is told."""
ENTRY = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)|([^|\t]+)\|(.*)|(\S+)\s+(\S.*)')
"""`( name "words" )`, `name|words|more`, `name words`."""
SPHINX = re.compile(r"(?:<s>)?(.*?)(?:</s>)?\s*\(\s*(\S+?)\s*\)", re.IGNORECASE)
"""`<s> words </s> (name)`, where it is the name of a recording."""
NAMED = re.compile(r"transcripts?.*|.*transcripts?\.txt|.*\.trans(cription|\.txt)|txt\.done\.data|prompts|text")
"""Lists whose names say that they hold what is said."""
ELSEWHERE = re.compile(r"\w+://.*|\S*[/\\]\S*\.\w{1,5}")
"""Addresses (of Multilingual LibriSpeech) and paths: nothing that is said."""
MOMENTS = re.compile(r"[-\d.:,\s]*\d[.:]\d[-\d.:,\s]*")
"""Times: a list of them is none of transcripts."""
NUMBERS = re.compile(r"[-\d\s]*")
"""Said perhaps, but lengths and speakers are written like this, too: another list is believed rather."""
TIMES = re.compile(r"\d+(?:\.\d+)?[ \t]+\d+(?:\.\d+)?[ \t]+(\S.*)")
"""How each line of TIMIT begins, by the first sample and the last, and each of Audacity's labels, by seconds."""
VERSIONS = (".normalized", ".original")
"""Of one transcript, in LibriTTS: as it is read out, and as it stands in the book."""
WHOLE = 30.0
"""Seconds up to which a recording is learned whole."""
HEAD = 1 << 16
"""Bytes of a table in which names of recordings are looked for."""
CELL = re.compile(r'[^",;|\t\r\n\[\]{}]+')
MICROPHONE = re.compile(r"[-_]mic\d+$", re.IGNORECASE)


class _Files(NamedTuple):
    recordings: dict[str, list[str]]
    """Name without suffix -> paths."""
    texts: list[str]
    others: int
    """Recordings of further microphones."""


class BesideReader:
    """Recordings with text files."""

    name = "transcripts"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at names, and at the first lines of a few files."""
        root = folder_of(source, options)
        if root is None:
            return ""
        files = _files(root)
        if any(_names_recordings(path, files) for path in root.iterdir() if path.suffix.lower() in TABLES):
            return ""
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
        issues: list[Issue] = []
        told = _said(files, root, issues)
        said, cut = _without_times(told.said)
        paths = sorted(path for found in files.recordings.values() for path in found)
        splits, by_lists = _splits(root, paths), ""
        if not splits and (splits := _listed(root, told.lists)):
            by_lists = "; parts by the names of the lists"
        people = speakers(root, [path for path in paths if path in said], splits)
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
            samples.append(
                Sample(id=where, fields=fields, split=splits.get(path, ""), group=people.groups.get(path, ""))
            )
        sentence = f"{words}: {len(samples)} recordings with transcripts{told.field}{cut}"
        counts = Counter(sample.split for sample in samples if sample.split)
        sentence += f" ({', '.join(f'{count} {split}' for split, count in sorted(counts.items()))})" if counts else ""
        sentence += f"; of several microphones the first ({files.others} recordings left out)" if files.others else ""
        sentence += by_lists + people.said
        return Dataset(
            samples=tuple(samples), reader=self.name, root=str(root), recognised=sentence, issues=tuple(issues)
        )


def told(root: Path, tracks: Collection[str]) -> set[str]:
    """The recordings of which texts say all that is said. `tracks` tell pieces: where each line of them is two times
    and what is said, those count whose recordings can be learned whole."""
    files = _files(root)
    found: set[str] = set()
    timed = [text for text in files.texts if text in tracks and _own(text, files)]
    ends = {text: _end(text) for text in timed}
    for text in files.texts:
        own = _own(text, files)
        if text not in tracks:
            names = {own} if own else {name for name, _ in _entries(text, files)[0]}
        else:
            names = {own} if own and all(ends.values()) and ends[text] <= WHOLE else set()
        found |= {_nearest(files.recordings[name], text) for name in names}
    return found - {""}


def _end(text: str) -> float:
    """The last second of a text whose lines all begin with two times; 0 for any other."""
    try:
        found = [line.strip() for _, line in lines(Path(text))]
    except DataError:  # it can be no transcript
        return 0.0
    return max((float(line.split()[1]) for line in found), default=0.0) if all(map(TIMES.fullmatch, found)) else 0.0


def _files(root: Path) -> _Files:
    recordings: dict[str, list[str]] = defaultdict(list)
    texts = []
    for path in walk(str(root)):
        if is_media(path, "audio"):
            recordings[Path(path).stem].append(path)
        elif path.lower().endswith(TEXTS) or Path(path).name.lower() in NAMES:
            texts.append(path)
    found, others = _first_microphones(recordings, {Path(text).stem for text in texts})
    return _Files(found, texts, others)


def _first_microphones(recordings: dict[str, list[str]], stems: set[str]) -> tuple[dict[str, list[str]], int]:
    """Of recordings that several microphones have made (`p225_001_mic1` and `_mic2` beside `p225_001.txt` in VCTK) the
    first, by the name of the text, and how many are left out."""
    found: dict[str, list[str]] = {}
    others = 0
    for name in sorted(recordings):
        plain = MICROPHONE.sub("", name)
        plain = name if name in stems or plain not in stems or plain in recordings else plain
        others += len(recordings[name]) if plain in found else 0
        found.setdefault(plain, recordings[name])
    return found, others


class _Told(NamedTuple):
    said: dict[str, str]
    """Path of a recording -> what is said in it."""
    lists: dict[str, set[str]]
    """Path -> the lists that name it."""
    field: str
    """Which of several fields between bars holds what is said, for the user."""


def _said(files: _Files, root: Path, issues: list[Issue]) -> _Told:
    """What is said, by the text that ranks first (`_rank`).

    Raises:
        DataError: two texts of one rank differ about a recording.
    """
    best: dict[str, tuple[int, str, str]] = {}
    lists: dict[str, set[str]] = defaultdict(set)
    field = ""
    for text in files.texts:
        rank, own = _rank(text, files), _own(text, files)
        entries, place = _entries(text, files)
        if place > 1 and entries and not field:
            field = f" ({_fields.shown(place, entries[0][1])})"
        for name, transcript in entries:
            path = _nearest(files.recordings[name], text)
            where = f"{os.path.relpath(text, root)}: {name}"
            if not path:
                issues.append(Issue(kind="missing", subject=where, detail="several recordings have this name"))
                continue
            if not own:
                lists[path].add(text)
            if not transcript or (path in best and best[path][0] < rank):
                continue
            if path in best and best[path][0] == rank and normalise(best[path][2]) != normalise(transcript):
                raise _differ(root, best[path][1], text, path)
            if path not in best or rank < best[path][0]:
                best[path] = rank, text, transcript
    return _Told({path: transcript for path, (_, _, transcript) in best.items()}, lists, field)


def _differ(root: Path, *files: str) -> DataError:
    one, other, recording = (os.path.relpath(file, root) for file in files)
    return DataError(
        f"one text must say what is said in a recording, but '{one}' and '{other}' differ about '{recording}'.",
        "Leave one of them in the folder, or give a table with the columns path,transcript.",
    )


def _without_times(said: dict[str, str]) -> tuple[dict[str, str], str]:
    """What is said without the two times before each line, where all lines have them, and in words that they are left
    out."""
    rows = {path: [TIMES.fullmatch(line) for line in text.splitlines()] for path, text in said.items()}
    if not rows or not all(all(found) for found in rows.values()):
        return {path: " ".join(text.splitlines()) for path, text in said.items()}, ""
    plain = {path: " ".join(found[1] for found in matches if found) for path, matches in rows.items()}
    return plain, ", the two numbers before each line are places in the recording and left out"


def _rank(text: str, files: _Files) -> int:
    """Which of several texts about the same recordings is believed: the smallest."""
    name = Path(text).name.lower()
    if _own(text, files):
        return 0 if name.endswith(".txt") and not name.endswith(f"{VERSIONS[1]}.txt") else 1
    if NAMED.fullmatch(name):
        return 0
    return 2 if all(map(NUMBERS.fullmatch, _spoken(text, files))) else 1


def _own(text: str, files: _Files) -> str:
    """The name of the recordings that a file belongs to alone, or an empty string."""
    stem = Path(text).stem
    stem = Path(stem).stem if is_media(stem, "audio") or stem.lower().endswith(VERSIONS) else stem
    return stem if stem in files.recordings else ""


def _entries(text: str, files: _Files) -> tuple[list[tuple[str, str]], int]:
    """(name of a recording, what is said) as a text file has them, and which field of its lines says it."""
    own = _own(text, files)
    if own:
        found = [line.strip() for _, line in lines(_followed(Path(text)))]
        words = "\n".join(found[:1] if text.lower().endswith(".trn") else found)
        return [(own, "" if ELSEWHERE.fullmatch(words) else words)], 1
    return _of_list([line for _, line in lines(Path(text))], files) if _is_list(text, files) else ([], 1)


def _of_list(listed: Sequence[str], files: _Files) -> tuple[list[tuple[str, str]], int]:
    """The same of the lines of a list that begin with names of recordings, or end in them."""
    rows = [cells for line in listed if (cells := _ended(line, files) or _cells(line)) and cells[0] in files.recordings]
    place = _fields.place(rows) if any(len(row) > 2 for row in rows) else 1
    return [(row[0], row[place] if len(row) > place else row[-1]) for row in rows], place


def _ended(line: str, files: _Files) -> list[str]:
    """The name in brackets at the end of a line, and the words before it; none where no recording is called so."""
    found = SPHINX.fullmatch(line.strip())
    name = Path(found[2]).name if found else ""
    return [name, found[1].strip()] if found and name in files.recordings else []


def _cells(line: str) -> list[str]:
    """The name and the fields behind it."""
    found = ENTRY.fullmatch(line.strip())
    if not found:
        return []
    name, said = [word for word in found.groups() if word is not None]
    name = Path(name.strip()).name
    fields = said.split("|") if found[3] is not None else [said]
    return [Path(name).stem if is_media(name, "audio") else name, *(field.strip() for field in fields)]


def _followed(text: Path) -> Path:
    """The file that a text names instead of saying something (THCHS-30), where it is there; else the text."""
    if text.suffix.lower() != ".trn":
        return text
    words = " ".join(line.strip() for _, line in lines(text))
    return text.parent / words if ELSEWHERE.fullmatch(words) and (text.parent / words).is_file() else text


def _is_list(text: str, files: _Files) -> bool:
    """Whether most of the first lines begin with the name of a recording, and do not go on with addresses or times."""
    found = _spoken(text, files)
    others = sum(bool(ELSEWHERE.fullmatch(words) or MOMENTS.fullmatch(words)) for words in found)
    return bool(found) and 2 * others <= len(found)


def _spoken(text: str, files: _Files) -> list[str]:
    """What the first lines of a list say; none where most do not begin with the name of a recording."""
    try:
        with open(text, encoding="utf-8-sig") as file:
            head = [line for _, line in zip(range(PEEK), file, strict=False) if line.strip()]
    except (OSError, UnicodeDecodeError):  # whatever it is, it is no list that can be read
        return []
    found = [words for _, words in _of_list(head, files)[0]]
    return found if 2 * len(found) > len(head) else []


def _names_recordings(table: Path, files: _Files) -> bool:
    """Whether a table is about the recordings: one of its first cells is the name of one with its suffix, or half of
    its lines have the name alone."""
    if table.suffix.lower() in (".parquet", ".scp"):
        return True
    try:
        with table.open("rb") as file:
            head = file.read(HEAD).decode("utf-8", "replace")
    except OSError:  # whatever it is, no reader can read it
        return False
    names = [[Path(cell.strip().replace("\\", "/")).name for cell in CELL.findall(line)] for line in head.splitlines()]
    if any(is_media(name, "audio") and Path(name).stem in files.recordings for line in names for name in line):
        return True
    return 2 * sum(any(name in files.recordings for name in line) for line in names) > max(1, len(names) - 1)


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


def _listed(root: Path, lists: Mapping[str, set[str]]) -> dict[str, str]:
    """The same by the names of lists: of several that name a recording, the part furthest from training."""
    found = {}
    for path, texts in lists.items():
        parts = {part_of(str(Path(os.path.relpath(text, root)).with_suffix(""))) for text in texts}
        if part := next((part for part in ("test", "val", "train") if part in parts), ""):
            found[path] = part
    return found if "train" in found.values() else {}
