"""Texts as lines: a file for each class (`pos.txt`, `neg.txt`), or texts and labels side by side (`train_text.txt` with
`train_labels.txt`, as TweetEval has them: Barbieri et al., 2020)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from autoft.data import advice, classnames
from autoft.data.media import entries, part_of, relative, split_word
from autoft.data.tablefiles import tables_in
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

SUFFIX: Final = ".txt"
LABELS: Final = ("labels", "label")
TEXTS: Final = ("text", "texts", "sentences")
NAMES: Final = ("mapping.txt", "classes.txt", "labels.txt")
"""Files that name the classes."""
NOTES: Final = frozenset("readme license licence notes about citation changelog requirements".split())
FEWEST: Final = 5
"""Lines that each file of a class must have."""


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
    pairs = list(_pairs(source))
    if pairs:
        return pairs
    own = list(_classes(source, ""))
    if own:
        return own
    return [
        file
        for entry in entries(source)
        if entry.is_dir() and split_word(entry.name)
        for file in _classes(entry.path, split_word(entry.name))
    ]


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
    if all(_long_enough(path) for path, _ in found):
        yield from (_File(path, split, label) for path, label in found)


def _long_enough(path: str) -> bool:
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    return b"\0" not in head and sum(bool(line.strip()) for line in head.splitlines()) >= FEWEST


def _names(folder: str) -> dict[str, str]:
    """Number -> name, where a file says the names of classes that are numbers."""
    found = (os.path.join(folder, name) for name in NAMES)
    return next((classnames.read(path) for path in found if os.path.isfile(path)), {})
