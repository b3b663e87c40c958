"""Files that say what is heard where in a recording: label tracks of Audacity, TextGrids of Praat, ELAN's `.eaf`,
selection tables of Raven. Each has tiers, one of which holds what is to be learned."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft.api import Issue, read_xml

TRACKS = (".txt", ".textgrid", ".eaf")
ONLY = ""
"""The tier of files that have no others."""
SELECTIONS = re.compile(r"\.table\.\d+\.selections$|\.selections$", re.IGNORECASE)
"""What Raven puts behind the name of a recording."""
CALLED = re.compile(r"[ ._-]*(labels?|label ?track)$", re.IGNORECASE)
"""What people put behind it."""
LINE = re.compile(r"(-?\d+[.,]\d+)\t(-?\d+[.,]\d+)(?:\t(.*))?")
"""Of Audacity: seconds, and a label."""
FREQUENCIES = "\\"
"""Begins a line of Audacity that tells from which pitch to which the label above it is."""
BEGIN, END = "begin time (s)", "end time (s)"
"""Columns of Raven."""
PLAIN = re.compile(
    r"selection|view|channel|.*\((s|hz|khz|db|u|samples|ms|%|.*/.*)\)|begin file|begin path|.*power.*|.*freq.*"
)
"""Columns of Raven that hold measurements."""
VALUE = re.compile(r'"((?:[^"]|"")*)"|(?<![\w"])(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w"])|<(exists|absent)>')
"""What a TextGrid says, in its long and its short form: texts, numbers and flags. All else is for the reader's eye."""
MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
HEAD = 4096


class Mark(NamedTuple):
    """What is heard from one second to another."""

    begin: float
    end: float
    words: str


Tiers = dict[str, list[Mark]]


def stem(path: str) -> str:
    """The name of the recording that a file is about."""
    return CALLED.sub("", SELECTIONS.sub("", Path(path).stem))


def kind(path: str) -> str:
    """Which form a file has, by its first lines; empty for any other."""
    suffix = Path(path).suffix.lower()
    if suffix not in TRACKS:
        return ""
    try:
        with open(path, "rb") as file:
            read = file.read(HEAD)
    except OSError:  # it cannot be read, so it cannot be recognised
        return ""
    head = _decoded(read)
    if suffix == ".eaf":
        return "ELAN" if "<ANNOTATION_DOCUMENT" in head else ""
    if suffix == ".textgrid":
        return "TextGrid" if "ooTextFile" in head[:200] else ""
    found = [line for line in head.splitlines()[: -1 if len(read) == HEAD else None] if line.strip()]
    if found and BEGIN in (names := found[0].lower().split("\t")) and END in names:
        return "Raven"
    timed = [line for line in found if not line.startswith(FREQUENCIES)]
    return "Audacity" if timed and all(LINE.fullmatch(line.rstrip("\r\n")) for line in timed) else ""


def read(path: str, issues: list[Issue]) -> Tiers:
    """What a file says, by tier; nothing and an issue where it cannot be read, and an issue for a piece whose times
    cannot."""
    form, name = kind(path), Path(path).name
    bad: list[str] = []
    try:
        tiers = _read(Path(path), form, bad, issues)
    except (IndexError, OSError, OverflowError, ValueError, StopIteration) as error:
        detail = f"it is no whole file of {form or 'pieces'}: {type(error).__name__}"
        issues.append(Issue(kind="unreadable", subject=name, detail=detail))
        return {}
    issues += (
        Issue(kind="no_piece", subject=name, detail=f"its times are no numbers: {words}")
        for words in dict.fromkeys(bad)
    )
    return tiers


def _read(path: Path, form: str, bad: list[str], issues: list[Issue]) -> Tiers:
    if form == "ELAN":
        return _elan(path, bad, issues)
    text = _decoded(path.read_bytes())
    if form == "Audacity":
        return {ONLY: _audacity(text, bad)}
    return _raven(text, bad) if form == "Raven" else _textgrid(text, bad)


def _decoded(data: bytes) -> str:
    """Praat writes UTF-16 where it must; other programs write what their system does."""
    for mark, name in MARKS:
        if data.startswith(mark):
            return data[: len(data) // 2 * 2 if name == "utf-16" else None].decode(name, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.start > len(data) - 4  # the end of what was read, within a letter
        return data.decode("utf-8", "ignore") if cut else data.decode("cp1252", "replace")


def _audacity(text: str, bad: list[str]) -> list[Mark]:
    found = [LINE.fullmatch(line.strip("\r\n ")) for line in text.splitlines()]
    return [mark for one in found if one for mark in _marks(one[1], one[2], one[3] or "", bad)]


def _raven(text: str, bad: list[str]) -> Tiers:
    """Each column that holds no measurement is a tier. Waveform and spectrogram are two views of one selection."""
    names, *rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    lower = [name.strip().lower() for name in names]
    begin, end = lower.index(BEGIN), lower.index(END)
    tiers: Tiers = defaultdict(list)
    for row in rows:
        for place, name in enumerate(names):
            if len(row) > max(place, begin, end) and not PLAIN.fullmatch(lower[place]):
                tier = tiers[name.strip()]
                tier += [mark for mark in _marks(row[begin], row[end], row[place], bad) if mark not in tier[-1:]]
    return dict(tiers)


def _textgrid(text: str, bad: list[str]) -> Tiers:
    """Its interval tiers. Points have no length."""
    body = text[text.index("TextGrid") :].partition("\n")[2]
    cells = [(found[1], found[2], found[3]) for found in VALUE.finditer(_bare(body))]
    said = iter(cells)
    next(said), next(said), next(said)  # first and last second, and that there are tiers
    tiers: Tiers = defaultdict(list)
    for _ in range(int(float(next(said)[1]))):
        form, name = next(said)[0], next(said)[0].replace('""', '"')
        next(said), next(said)
        for _ in range(int(float(next(said)[1]))):
            begin = next(said)[1]
            end = next(said)[1] if form == "IntervalTier" else begin
            words = next(said)[0].replace('""', '"')
            if form == "IntervalTier":
                tiers[name] += _marks(begin, end, words, bad)
    return dict(tiers)


def _bare(text: str) -> str:
    """Without the numbers in brackets of the long form, `intervals [3]:`, which say nothing; texts stay as they are."""
    parts = re.split(r'("(?:[^"]|"")*")', text)
    return "".join(part if place % 2 else re.sub(r"\[\d*\]", "", part) for place, part in enumerate(parts))


def _elan(path: Path, bad: list[str], issues: list[Issue]) -> Tiers:
    """Its tiers with times of their own. Those that hang on others have none."""
    tree = read_xml(path, issues)
    if tree is None:
        return {}
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in tree.iter("TIME_SLOT")}
    tiers: Tiers = {}
    for tier in tree.iter("TIER"):
        marks = []
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            begin, end = (times.get(one.get(f"TIME_SLOT_REF{place}")) for place in (1, 2))
            if begin and end:
                marks += _marks(begin, end, one.findtext("ANNOTATION_VALUE") or "", bad, 1000.0)
        if marks:
            tiers[tier.get("TIER_ID") or ""] = marks
    return tiers


def _marks(begin: str, end: str, words: str, bad: list[str], units: float = 1.0) -> list[Mark]:
    """The piece between two times, `units` of which make a second; none, and words in `bad`, where one is none."""
    try:
        first, last = (float(time.replace(",", ".")) / units for time in (begin, end))
    except ValueError:
        first = last = math.nan
    if math.isfinite(first) and math.isfinite(last):
        return [Mark(first, last, words.strip())]
    bad.append(f"'{begin[:20]}' and '{end[:20]}' of '{words.strip()[:20]}'")
    return []


def filled(tiers: Mapping[str, Sequence[Mark]]) -> list[str]:
    """The tiers that say something."""
    return [name for name, marks in tiers.items() if any(mark.words for mark in marks)]
