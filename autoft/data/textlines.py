"""Texts as lines: a file for each class (`pos.txt`, `neg.txt`), or texts and labels side by side (`train_text.txt` with
`train_labels.txt`, as TweetEval has them: Barbieri et al., 2020; or `train/seq.in` with `train/label`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from autoft.data import advice, classnames
from autoft.data.media import entries, part_of, relative, split_word
from autoft.data.tablefiles import tables_in
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

SUFFIX: Final = ".txt"
BESIDE: Final = (("seq.in", "label"), ("X.txt", "Y.txt"), ("texts.txt", "labels.txt"), ("text.txt", "labels.txt"))
"""Texts and their labels in two files of one folder: ATIS and SNIPS, the Web of Science."""
LABELS: Final = ("labels", "label")
TEXTS: Final = ("text", "texts", "sentences")
NAMES: Final = ("mapping.txt", "classes.txt", "labels.txt")
"""Files that name the classes."""
NOTES: Final = frozenset("readme license licence notes about citation changelog requirements".split())
FEWEST: Final = 5
"""Lines that each file of a class must have."""
HEAD: Final = 1 << 16
"""Bytes of a file that are looked at."""
MARKS: Final = (b"\t", b"@", b"|", b";")
"""What stands between a text and its class, where one file has texts of all classes."""
AGAIN: Final = 0.5
"""Share of the lines that have different words there at most."""


class _File(NamedTuple):
    path: str
    split: str
    label: str = ""
    """Of all its lines."""
    labels: str = ""
    """The file with a label for each of its lines."""


class TextLinesReader:
    """A text in each line; its class is the name of the file, or stands in the same line of another file."""

    name = "lines"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is files of lines, or an empty string. Looks at names, and at the first lines."""
        if set(options.needs) != {"text", "label"} or options.columns or options.group_col or not os.path.isdir(source):
            return ""
        if "label" in options.optional or tables_in(source):
            return ""
        found = _files(source)
        if not found:
            return ""
        names = ", ".join(relative(file.path, source) for file in found)
        return f"a text in each line of {names}" + (", labels in files beside them" if found[0].labels else "")

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line that is not empty, `id` the file and the line.

        Raises:
            DataError: there are no such files, or texts and labels differ in number.
        """
        words = self.sniff(source, options)
        if not words:
            raise advice.unrecognised(source, options)
        samples: list[Sample] = []
        issues: list[Issue] = []
        told = _names(source)
        for file in _files(source):
            name = relative(file.path, source)
            texts, guessed = classnames.told_lines(file.path, options.encoding)
            issues += guessed
            labels = classnames.lines(file.labels) if file.labels else [file.label] * len(texts)
            if len(labels) != len(texts):
                raise DataError(
                    f"'{file.labels}' must have a label for each line of '{file.path}', but it has {len(labels)} lines "
                    f"for {len(texts)}."
                )
            for number, (text, label) in enumerate(zip(texts, labels, strict=True), 1):
                where = f"{name} line {number}"
                if text and label:
                    fields = {"text": text, "label": told.get(label, label)}
                    samples.append(Sample(id=where, fields=fields, split=file.split))
                else:
                    issues.append(Issue(kind="no_label" if text else "no_text", subject=where, detail="empty line"))
        return Dataset(
            samples=tuple(samples),
            reader=self.name,
            root=os.path.abspath(source),
            recognised=f"{words}: {len({sample.fields['label'] for sample in samples})} classes, {len(samples)} texts",
            issues=tuple(issues),
        )


def _files(source: str) -> list[_File]:
    own = list(_pairs(source)) or list(_beside(source, "")) or list(_classes(source, ""))
    if own:
        return own
    parts = [(entry.path, split_word(entry.name)) for entry in entries(source) if entry.is_dir()]
    parts = [(path, split) for path, split in parts if split]
    return [file for path, split in parts for file in list(_beside(path, split)) or _classes(path, split)]


def _beside(folder: str, split: str) -> Iterator[_File]:
    """A file of texts and one of labels, told by the names of both."""
    names = {entry.name for entry in entries(folder) if entry.is_file()}
    for text, label in BESIDE:
        if {text, label} <= names:
            yield _File(os.path.join(folder, text), split, labels=os.path.join(folder, label))
            return


def _pairs(folder: str) -> Iterator[_File]:
    """Files of texts with files of labels, told by their names."""
    names = [entry.name for entry in entries(folder) if entry.is_file() and entry.name.endswith(SUFFIX)]
    for name in names:
        stem, _, last = name.removesuffix(SUFFIX).rpartition("_")
        beside = [f"{stem}_{word}{SUFFIX}" for word in LABELS if f"{stem}_{word}{SUFFIX}" in names]
        if stem and last in TEXTS and beside:
            yield _File(os.path.join(folder, name), part_of(stem), labels=os.path.join(folder, beside[0]))


def _classes(folder: str, split: str) -> Iterator[_File]:
    """Files of texts of one class each, two or more; none where one of them is too short to be that."""
    named = [(e.path, *os.path.splitext(e.name)) for e in entries(folder) if e.is_file()]
    found = [(path, stem) for path, stem, suffix in named if suffix.lower() == SUFFIX and stem.lower() not in NOTES]
    other = [one for one in named if one[1].lower() not in NOTES]
    if not found and len(other) > 1 and len({stem for _, stem, _ in other}) == 1:
        found = [(path, suffix[1:]) for path, _, suffix in other]  # rt-polarity.pos and rt-polarity.neg
    if len(found) < 2 or any(part_of(label) for _, label in found):
        return
    if all(_is_texts(path) for path, _ in found):
        yield from (_File(path, split, label) for path, label in found)


def _is_texts(path: str) -> bool:
    """Whether a file has enough lines to be the texts of one class, and these are not rows that end or begin with
    classes of their own, nor numbers alone."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    lines = [line.strip() for line in head.splitlines() if line.strip()]
    lines = lines[:-1] if len(head) == HEAD else lines
    if b"\0" in head or len(lines) < FEWEST or all(map(bytes.isdigit, lines)):
        return False
    return not any(_divides(sign, lines) for sign in MARKS)


def _divides(sign: bytes, lines: Sequence[bytes]) -> bool:
    """Whether each line has such a sign, behind which or before which few words stand again and again, in all lines:
    lines that begin with `@user` or end with a semicolon are texts."""
    if not all(sign in line for line in lines):
        return False
    ends = ({line.rpartition(sign)[2] for line in lines}, {line.partition(sign)[0] for line in lines})
    return any(len(words) <= AGAIN * len(lines) and all(word and b" " not in word for word in words) for words in ends)


def _names(folder: str) -> dict[str, str]:
    """Number -> name, where a file says the names of classes that are numbers."""
    found = (os.path.join(folder, name) for name in NAMES)
    return next((classnames.read(path) for path in found if os.path.isfile(path)), {})
