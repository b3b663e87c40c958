"""Recordings of known collections, whose files' names say by codes what is felt in them, and who speaks."""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from autoft.data import advice
from autoft.data.media import is_media, is_text, relative, walk
from autoft.data.places import TOGETHER
from autoft.data.tablefiles import tables_in
from autoft.errors import UsageError
from autoft.records import Dataset, Issue, ReadOptions, Sample
from autoft.vocab import did_you_mean

FEWEST: Final = 3
"""Speakers from whom on each can stay in one part: there are three parts."""
MOST: Final = 0.98
"""Share of the recordings whose names must be of the form: the collections have slips of the pen."""
PAIRS: Final = 5
"""Copies that are compared with what they are copies of."""
EMOTION: Final = "emotion"
SPEAKER: Final = "speaker"
TARGETS: Final = (EMOTION, SPEAKER)


class _Corpus(NamedTuple):
    title: str
    form: re.Pattern[str]
    """Of a file's folder and name without its suffix, with the groups `code` and `speaker`."""
    names: Mapping[str, str]
    """Code -> class."""


def _words(text: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in text.split())


CORPORA: Final = (
    _Corpus(
        "CREMA-D (Cao et al., 2014)",
        re.compile(r".*/(?P<speaker>1\d{3})_[A-Z]{3}_(?P<code>[A-Z]{3})_(LO|MD|HI|XX?)"),
        _words("ANG:anger DIS:disgust FEA:fear HAP:happiness NEU:neutral SAD:sadness"),
    ),
    _Corpus(
        "EmoDB (Burkhardt et al., 2005)",
        re.compile(r".*/(?P<speaker>\d{2})[ab]\d{2}(?P<code>[A-Z])[a-z]"),
        _words("W:anger L:boredom E:disgust A:fear F:happiness T:sadness N:neutral"),
    ),
    _Corpus(
        "RAVDESS (Livingstone and Russo, 2018)",
        re.compile(r".*/0[1-3]-0[12]-(?P<code>\d{2})-0[12]-0[12]-0[12]-(?P<speaker>\d{2})"),
        _words("01:neutral 02:calm 03:happy 04:sad 05:angry 06:fearful 07:disgust 08:surprised"),
    ),
    _Corpus(
        "SAVEE (Haq and Jackson, 2010)",
        re.compile(r"(?:.*/)?(?P<speaker>DC|JE|JK|KL)[/_](?P<code>[a-z]{1,2})\d{2}"),
        _words("a:anger d:disgust f:fear h:happiness n:neutral sa:sadness su:surprise"),
    ),
    _Corpus(
        "TESS (Pichora-Fuller and Dupuis, 2020)",
        re.compile(r".*/(?P<speaker>[OY]A)F?_[a-z]+_(?P<code>[a-z]+)"),
        _words("angry:angry disgust:disgust fear:fear happy:happy neutral:neutral ps:surprised sad:sad"),
    ),
)


class _Found(NamedTuple):
    corpus: _Corpus
    told: dict[str, tuple[str, str]]
    """Path -> class, speaker."""
    strange: list[str]
    """Paths of recordings with other names."""
    copies: int = 0
    """Recordings that lie once more further down, and are left out."""


class CorpusReader:
    """The classes are emotions; each speaker stays in one part, where there are enough of them."""

    name = "corpora"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is one of the collections, or an empty string. Looks at names alone."""
        found = _look(source, options)
        return f"{found.corpus.title}, by the names of its files" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each recording whose name is of the form. `--target speaker` makes the speakers the classes.

        Raises:
            DataError: it is none of the collections.
            UsageError: `--target` names something else.
        """
        found = _look(source, options)
        if not found:
            raise advice.unrecognised(source, options)
        remembered = options.remembered.get("label", "")
        target = options.columns.get("label") or (remembered if remembered in TARGETS else EMOTION)
        if target not in TARGETS:
            raise UsageError(
                f"--target must be {EMOTION} or {SPEAKER} for {found.corpus.title}, but got '{target}'."
                + did_you_mean(target, TARGETS)
            )
        speakers = {speaker for _, speaker in found.told.values()}
        groups = target == EMOTION and len(speakers) >= FEWEST
        samples = [
            Sample(
                id=relative(path, source),
                fields={"audio": os.path.abspath(path), "label": label if target == EMOTION else speaker},
                group=speaker if groups else "",
            )
            for path, (label, speaker) in sorted(found.told.items())
        ]
        issues = [Issue(kind="no_label", subject=relative(path, source), detail="its name") for path in found.strange]
        classes = sorted({str(sample.fields["label"]) for sample in samples})
        said = f"{SPEAKER}s are the classes" if target == SPEAKER else f"there are {len(speakers)} speakers"
        said += f", {TOGETHER}" if groups else ", too few for parts of their own" * (target == EMOTION)
        words = f"{self.sniff(source, options)}: {len(classes)} classes ({', '.join(classes[:8])}"
        words += f"{', ...' if len(classes) > 8 else ''}), {len(samples)} audio files; {said}"
        words += f"; {found.copies} copies further down are left out" if found.copies else ""
        root = os.path.abspath(source)
        return Dataset(samples=tuple(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _look(source: str, options: ReadOptions) -> _Found | None:
    """The collection that nearly all recordings are of, with two classes or more. A table beside them says more."""
    if options.needs != ("audio", "label") or options.optional or options.group_col:
        return None
    if options.columns.keys() - {"label"} or "\0" in source or not os.path.isdir(source) or tables_in(source):
        return None
    paths = (path for path in walk(source) if is_media(path, "audio") and is_text(path))
    first = next(paths, "")  # most folders are none of these: the first file tells
    corpus = next((corpus for corpus in CORPORA if first and _read(first, corpus)), None)
    return _told([first, *paths], corpus) if corpus else None


def _told(paths: Sequence[str], corpus: _Corpus) -> _Found | None:
    told = {path: found for path in paths if (found := _read(path, corpus))}
    if len(told) < MOST * len(paths) or len({label for label, _ in told.values()}) < 2:
        return None
    copies = _copies([*told])
    kept = {path: found for path, found in told.items() if path not in copies}
    return _Found(corpus, kept, [path for path in paths if path not in told], len(copies))


def _copies(paths: Sequence[str]) -> set[str]:
    """Recordings that lie further down once more: RAVDESS is handed on with a copy of it within. None where one of a
    few pairs differs, as recordings and what was made of them do."""
    root = os.path.commonpath(paths)
    places = {relative(path, root): path for path in paths}
    pairs = []
    for place, path in places.items():
        steps = place.split("/")
        above = (places.get("/".join(steps[n:])) for n in range(1, len(steps)))
        first = next((other for other in above if other), "")
        if first and os.path.getsize(first) == os.path.getsize(path):
            pairs.append((first, path))
    shown = pairs[:: max(1, len(pairs) // PAIRS)]
    same = all(filecmp.cmp(*pair, shallow=False) for pair in shown)
    return {path for _, path in pairs} if same else set()


def _read(path: str, corpus: _Corpus) -> tuple[str, str] | None:
    """Class and speaker."""
    folder, name = os.path.split(os.path.abspath(path))
    parts = corpus.form.fullmatch(f"{os.path.basename(folder)}/{os.path.splitext(name)[0]}")
    return (corpus.names[parts["code"]], parts["speaker"]) if parts and parts["code"] in corpus.names else None
