"""Which files of a folder are its tables, and which part of the data each of them is."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from autoft.data.media import entries, part_of, split_word

TEXT: Final = (".csv", ".tsv")
JSONL: Final = (".jsonl", ".ndjson")
PARQUET: Final = (".parquet", ".pq", ".arrow", ".feather")
JSON: Final = (".json",)
LISTS: Final = (".txt",)
PREFERRED: Final = (TEXT + JSONL + PARQUET, JSON, LISTS)
"""Suffixes of tables. Those further on can be anything, and count only where there are none before them."""
SHEETS: Final = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
"""Suffixes of spreadsheets, which are not read."""
NUMBERS: Final = re.compile(r"\d+")


class Tables(NamedTuple):
    """The tables that a source consists of."""

    parts: tuple[tuple[str, str], ...] = ()
    """(path, split); empty when it cannot be told."""
    left_out: tuple[str, ...] = ()
    """Names of tables that are no part of it, as the others say by their names that they are."""


def is_table(path: str) -> bool:
    """Whether a file is a table, by its suffix: one of those that are nothing else."""
    return path.lower().endswith(PREFERRED[0])


def is_sheet(path: str) -> bool:
    """Whether a file is a spreadsheet, by its suffix."""
    return path.lower().endswith(SHEETS)


def tables_in(source: str) -> tuple[tuple[str, str], ...]:
    """(path, split) of what can be nothing but tables and lies in the folder itself. Empty when it cannot be told."""
    return _in_folder(source, PREFERRED[:1]).parts if os.path.isdir(source) else _file(source)


def find(source: str) -> Tables:
    """The same, also where tables lie in folders of their own: `train/data.csv` and `test/data.csv`, `meta/all.csv`."""
    if not os.path.isdir(source):
        return Tables(_file(source))
    found = _in_folder(source)
    if found.parts or _tables(source, PREFERRED[0]):
        return found
    below = [(entry.name, _in_folder(entry.path)) for entry in entries(source) if entry.is_dir()]
    below = [(name, tables) for name, tables in below if tables.parts]
    parts = [(tables.parts[0][0], split_word(name)) for name, tables in below if len(tables.parts) == 1]
    if len(parts) > 1 and all(split for _, split in parts) and len({split for _, split in parts}) == len(below):
        return Tables(tuple(parts))
    return below[0][1] if len(below) == 1 and not split_word(below[0][0]) else Tables()


def _file(source: str) -> tuple[tuple[str, str], ...]:
    suffixes = sum(PREFERRED, ())
    return ((source, ""),) if os.path.isfile(source) and source.lower().endswith(suffixes) else ()


def _tables(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    return [e.path for e in entries(folder) if e.is_file() and e.name.lower().endswith(suffixes)]


def _in_folder(folder: str, kinds: tuple[tuple[str, ...], ...] = PREFERRED) -> Tables:
    """The only table, one for submissions to a contest aside; or `train.csv` with `val.csv` or `test.csv`, others left
    out; or names that have such words."""
    for suffixes in kinds:
        found = _tables(folder, suffixes)
        if not found:
            continue
        # A contest gives an example of what to hand in beside its tables.
        kept = [path for path in found if "submission" not in os.path.basename(path).lower()] or found
        if len(kept) == 1 and suffixes is not LISTS:
            return Tables(((kept[0], ""),), tuple(os.path.basename(path) for path in found if path not in kept))
        parts = _parts(kept, lambda name: split_word(os.path.splitext(name)[0]), 1)
        parts = parts or (() if suffixes is LISTS else _parts(kept, part_of, 2))
        if parts:
            chosen = {path for path, _ in parts}
            return Tables(parts, tuple(os.path.basename(path) for path in found if path not in chosen))
    return Tables()


def _parts(paths: Iterable[str], word: Callable[[str], str], least: int) -> tuple[tuple[str, str], ...]:
    """(path, split) of those whose names say a part, if training is one; none where a part has several tables, other
    than numbered pieces of one."""
    by_part: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_part[word(os.path.basename(path))].append(path)
    by_part.pop("", None)
    if "train" not in by_part or len(by_part) < least:
        return ()
    if any(len({NUMBERS.sub("", path) for path in found}) > 1 for found in by_part.values()):
        return ()
    return tuple(sorted((path, part) for part, found in by_part.items() for path in found))
