"""Lists of classes on several levels, as FGVC-Aircraft has them (Maji et al., 2013): `images_variant_train.txt` beside
`images_family_train.txt`."""

from __future__ import annotations

import os
from collections import defaultdict
from glob import escape, glob
from typing import Final, NamedTuple

from autoft.data import advice, classnames
from autoft.data.media import entries, relative, split_word
from autoft.data.merge import unique_ids
from autoft.data.named import Files
from autoft.errors import DataError, UsageError
from autoft.records import Dataset, Issue, ReadOptions, Sample
from autoft.vocab import did_you_mean

FEW: Final = 3
"""Folders in the data up to which the lists are looked for in each of them."""
HEAD: Final = 20
MOST: Final = 0.9
"""Share of the first lines of each list that must begin with the name of a file."""


class _Levels(NamedTuple):
    folder: str
    lists: dict[str, dict[str, str]]
    """Level -> part -> path."""


class LevelsReader:
    """`--target` names the level; none is taken unasked."""

    name = "levels"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` has such lists, or an empty string. Looks at first lines."""
        found = _find(source, options)
        return f"lists of classes on {len(found.lists)} levels ({', '.join(found.lists)})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line of the lists of one level whose image is there.

        Raises:
            DataError: there are no such lists, or no level is named.
            UsageError: there is no such level.
        """
        found = _find(source, options)
        if not found:
            raise advice.unrecognised(source, options)
        level = options.columns.get("label", "")
        chosen = found.lists.get(level or options.remembered.get("label", ""))
        if chosen is None:
            raise _unknown(found, level, source)
        samples: list[Sample] = []
        issues: list[Issue] = []
        files = Files(os.path.join(found.folder, "list"), source, "image")
        for part, path in chosen.items():
            for number, line in enumerate(classnames.lines(path), 1):
                name, *label = line.split(maxsplit=1)
                told = files.find(name, part)
                where = f"{relative(path, source)} line {number}: {line}"
                if not told.path or not label:
                    kind, detail = ("no_label", "a name alone") if told.path else ("missing", told.reason)
                    issues.append(Issue(kind=kind, subject=where, detail=detail))
                    continue
                fields = {"image": os.path.abspath(told.path), "label": label[0]}
                samples.append(Sample(id=relative(told.path, source), fields=fields, split=part))
        classes = {str(sample.fields["label"]) for sample in samples}
        level = level or options.remembered["label"]
        words = f"{self.sniff(source, options)}: {level} is taken, {len(classes)} classes, {len(samples)} images"
        root = os.path.abspath(source)
        return Dataset(unique_ids(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _unknown(found: _Levels, level: str, source: str) -> DataError | UsageError:
    numbers = {name: len(_classes(lists["train"])) for name, lists in found.lists.items()}
    shown = ", ".join(f"{name} ({number} classes)" for name, number in numbers.items())
    finest = max(numbers, key=lambda name: numbers[name])
    if level:
        near = did_you_mean(level, list(numbers))
        return UsageError(f"--target must be a level of '{source}', but got '{level}'.{near}", f"It has: {shown}")
    return DataError(
        f"the classes of '{source}' are told on several levels, and one must be named: {shown}.",
        f"The finest: --target {finest}",
    )


def _classes(path: str) -> set[str]:
    return {line.split(maxsplit=1)[-1] for line in classnames.lines(path) if line}


def _find(source: str, options: ReadOptions) -> _Levels | None:
    fits = options.needs == ("image", "label") and not options.optional and not options.group_col
    if not fits or options.columns.keys() - {"label"} or "\0" in source or not os.path.isdir(source):
        return None
    for folder in _folders(source):
        lists = _lists(folder)
        if lists and _all_names(lists, source, folder):
            return _Levels(folder, lists)
    return None


def _folders(source: str) -> list[str]:
    """The folder itself, and the few in it, with `data/` in these: class folders are many."""
    below = [entry.path for entry in entries(source) if entry.is_dir()]
    inner = [os.path.join(folder, "data") for folder in below]
    return [source, *below, *filter(os.path.isdir, inner)] if len(below) <= FEW else [source]


def _lists(folder: str) -> dict[str, dict[str, str]]:
    """Level -> part -> path, of the lists `NAME_LEVEL_PART.txt` of one name. Each level must have the same parts, one
    of which trains."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for path in sorted(glob(f"{escape(folder)}/*_*_*.txt")):
        *name, level, part = os.path.splitext(os.path.basename(path))[0].split("_")
        if level.isalpha() and split_word(part):
            found["_".join(name)][level][split_word(part)] = path
    for lists in found.values():
        parts = {frozenset(by_part) for by_part in lists.values()}
        if len(lists) > 1 and len(parts) == 1 and "train" in next(iter(parts)) and len(next(iter(parts))) > 1:
            return {level: dict(by_part) for level, by_part in lists.items()}
    return {}


def _all_names(lists: dict[str, dict[str, str]], source: str, folder: str) -> bool:
    """Whether lines are the name of a file and a class."""
    files = Files(os.path.join(folder, "list"), source, "image")
    heads = [[line.split(maxsplit=1) for line in classnames.head(by_part["train"], HEAD)] for by_part in lists.values()]
    return all(
        head and all(len(cells) == 2 for cells in head) and files.share([cells[0] for cells in head]) >= MOST
        for head in heads
    )
