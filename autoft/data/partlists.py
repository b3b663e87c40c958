"""Lists of paths beside class folders that say which files train, validate and test: `meta/train.txt` of Food-101,
`validation_list.txt` of Speech Commands."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from autoft.data import classnames
from autoft.data.media import SUFFIXES, entries, part_word, relative, words_of
from autoft.data.named import ASIDE

SUFFIX: Final = ".txt"
MOST: Final = 0.9
"""Share of the lines of a list that must name files below the class folders."""
ORDER: Final = ("test", "val", "train")
"""A file in two lists is of the first of these parts."""


class Parts(NamedTuple):
    """What the lists say."""

    of: dict[str, str]
    """Path -> part; what no list names is absent."""
    rest: str
    """The part of files that no list names: train where no list is for training, else none."""
    lists: tuple[str, ...]
    """Names of the lists."""


def find(source: str, root: str, field: str, paths: Sequence[str]) -> Parts | None:
    """The parts of files in class folders below `root`, or None where no lists name them, or two are for one part.

    Args:
        paths: all files in the class folders.
    """
    for folder in _folders(source, root):
        lists = _lists(folder)
        if not {"val", "test"} & lists.keys():
            continue
        known = _known(paths, (root, source, folder), field)
        told = {part: _told(path, known, field) for part, path in lists.items()}
        if all(told.values()):
            found = {path: part for part in reversed(ORDER) for path in told.get(part, ())}
            names = tuple(relative(lists[part], source) for part in reversed(ORDER) if part in lists)
            return Parts(found, "" if "train" in lists else "train", names)
    return None


def _folders(source: str, root: str) -> list[str]:
    """Where lists may lie: beside the class folders, above them, or in `meta/` and the like there."""
    bases, base = [], os.path.abspath(root)
    while True:
        bases.append(base)
        if base == os.path.abspath(source) or os.path.dirname(base) == base:
            break
        base = os.path.dirname(base)
    aside = [e.path for base in bases for e in entries(base) if e.is_dir() and e.name.lower() in ASIDE]
    return [*bases, *aside]


def _lists(folder: str) -> dict[str, str]:
    """Part -> its list; empty where a part has two. `trainval.txt` and `train_val_list.txt` train where nothing else
    does."""
    found: dict[str, list[str]] = defaultdict(list)
    whole = []
    for entry in entries(folder):
        stem, suffix = os.path.splitext(entry.name)
        if suffix.lower() != SUFFIX or not entry.is_file():
            continue
        if part := part_word(stem):
            found[part].append(entry.path)
        elif {"trainval"} <= {*words_of(stem)} or {"train", "val"} <= {*words_of(stem)}:
            whole.append(entry.path)
    if "train" not in found and whole:
        found["train"] = whole
    return {} if any(len(paths) > 1 for paths in found.values()) else {part: paths[0] for part, paths in found.items()}


def _known(paths: Sequence[str], bases: Sequence[str], field: str) -> dict[str, str]:
    """What a line may say -> the file: its path below one of the folders, with its suffix or without, or its name,
    where no other file has it."""
    found: dict[str, str] = {}
    for base in dict.fromkeys(map(os.path.abspath, bases)):
        for path in paths:
            name = relative(path, base)
            for key in (name, _stem(name, field)):
                found.setdefault(key, path)
    times = Counter(map(os.path.basename, paths))
    for path in paths:
        if times[name := os.path.basename(path)] == 1:
            found.setdefault(name, path)
    return found


def _told(path: str, known: dict[str, str], field: str) -> list[str]:
    """The files that a list names; none where its lines are something else."""
    lines = [line.replace("\\", "/").removeprefix("./") for line in classnames.lines(path) if line]
    named = [found for line in lines if (found := known.get(line) or known.get(_stem(line, field)))]
    return named if lines and len(named) >= MOST * len(lines) else []


def _stem(name: str, field: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES[field] else name
