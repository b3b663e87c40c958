"""Which files of a folder are its tables, and which part of the data each of them is."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from autoft.data.delimited import is_marked
from autoft.data.media import entries, part_of, parts_among, split_word, words_of

TEXT: Final = (".csv", ".tsv")
JSONL: Final = (".jsonl", ".ndjson")
PARQUET: Final = (".parquet", ".pq", ".arrow", ".feather")
JSON: Final = (".json",)
LISTS: Final = (".txt",)
PREFERRED: Final = (TEXT + JSONL + PARQUET, JSON, LISTS)
"""Suffixes of tables. Those further on can be anything, and count only where there are none before them."""
SHEETS: Final = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
"""Suffixes of spreadsheets, which are not read."""
PACKED: Final = ".gz"
"""Behind the suffix of a table that is packed alone, as reviews of shops are."""
WIDE: Final = 50
"""Commas in the first line of a table that hardly anybody wrote by hand."""
FEW: Final = 20
"""Files without a suffix in a folder beyond which they are no tables."""
HEAD: Final = 1 << 14
"""Bytes of a file without a suffix that are looked at, to see whether it is a table."""
NUMBERS: Final = re.compile(r"\d+")
FOLD: Final = re.compile(r"(?<![a-z])folds?[\W_]*(\d+)", re.IGNORECASE)
"""In the names of tables that say how to cross-validate: `fold1_train.txt`, `fold2_train.txt`."""


EXAMPLE: Final = re.compile(r"^submission$|(sample|example)submission|submission(sample|example)")


class Tables(NamedTuple):
    """The tables that a source consists of."""

    parts: tuple[tuple[str, str], ...] = ()
    """(path, split); empty when it cannot be told."""
    left_out: tuple[str, ...] = ()
    """Names of tables that are no part of it, as the others say by their names that they are."""


def is_table(path: str) -> bool:
    """Whether a file is a table, by its suffix: one of those that are nothing else."""
    return unpacked(path).endswith(PREFERRED[0])


def unpacked(path: str) -> str:
    """A table's path in small letters, without the suffix of what packed it: Parquet packs itself."""
    lower = path.lower()
    plain = lower.removesuffix(PACKED)
    return plain if plain.endswith(TEXT + JSONL + JSON + LISTS) else lower


def is_example(path: str) -> bool:
    """Whether a table is an example of what to hand in to a contest, which lies beside its tables: its labels are made
    up."""
    return "submission" in _run_together(path)


def is_named_example(path: str) -> bool:
    """The same of a table that lies alone: of `reddit_submissions.csv` that word is no sign."""
    return bool(EXAMPLE.search(_run_together(path)))


def _run_together(path: str) -> str:
    """The name of a table in small letters alone."""
    return re.sub(r"[\W_]", "", os.path.splitext(unpacked(os.path.basename(path)))[0])


def is_told(entry: os.DirEntry[str]) -> bool:
    """Whether a file in a folder is a table, by its suffix or by its tabs, and no example."""
    if not entry.is_file() or is_example(entry.path):
        return False
    return is_table(entry.path) or (entry.name.lower().endswith(LISTS) and _is_tabbed(entry.path))


def is_wide(path: str) -> bool:
    """Whether a table has a column for each pixel, or for each of many features: others tell more."""
    with open(path, "rb") as file:
        return file.read(1 << 16).split(b"\n")[0].count(b",") > WIDE


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
    folders = [entry for entry in entries(source) if entry.is_dir()]
    if len(folders) == 1 and not split_word(folders[0].name):
        return find(folders[0].path)
    below = [(entry.name, _in_folder(_innermost(entry.path))) for entry in folders]
    below = [(name, tables) for name, tables in below if tables.parts]
    words = parts_among([name for name, _ in below], split_word) or parts_among([name for name, _ in below], part_of)
    parts = [(tables.parts[0][0], words.get(name, "")) for name, tables in below if len(tables.parts) == 1]
    if len(parts) > 1 and all(split for _, split in parts) and len({split for _, split in parts}) == len(below):
        return Tables(tuple(parts))
    return below[0][1] if len(below) == 1 and split_word(below[0][0]) in ("", "train") else Tables()


def _innermost(folder: str) -> str:
    """The folder itself, or the one that lies alone in it: archives hold a folder of their own name."""
    found = entries(folder)
    return found[0].path if len(found) == 1 and found[0].is_dir() else folder


def _file(source: str) -> tuple[tuple[str, str], ...]:
    suffixes = sum(PREFERRED, ())
    fits = os.path.isfile(source) and (unpacked(source).endswith(suffixes) or _is_bare(source))
    return ((source, ""),) if fits else ()


def _is_bare(path: str) -> bool:
    """Whether a file without a suffix has a tab in each line, as `SMSSpamCollection` does."""
    return not os.path.splitext(path)[1] and _is_tabbed(path)


def _is_tabbed(path: str) -> bool:
    """Whether each of the first lines of a file has a tab, or a class behind an at sign."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    lines = [line for line in head.split(b"\n") if line.strip()]
    lines = lines[:-1] if len(head) == HEAD else lines
    if len(lines) < 2 or b"\0" in head:
        return False
    return all(b"\t" in line for line in lines) or is_marked([line.decode("latin-1") for line in lines])


def _tables(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    return [e.path for e in entries(folder) if e.is_file() and unpacked(e.name).endswith(suffixes)]


def _in_folder(folder: str, kinds: tuple[tuple[str, ...], ...] = PREFERRED) -> Tables:
    """The only table, one for submissions to a contest aside; or `train.csv` with `val.csv` or `test.csv`, others left
    out; or names that have such words."""
    for suffixes in kinds:
        found = _tables(folder, suffixes)
        if not found:
            continue
        kept = [path for path in found if not is_example(path)]
        kept = kept or [path for path in found if not is_named_example(path)]
        if len(kept) == 1 and suffixes is not LISTS:
            return Tables(((kept[0], ""),), tuple(os.path.basename(path) for path in found if path not in kept))
        parts = _parts(kept, lambda name: _dotted(os.path.splitext(unpacked(name))[0]), 1)
        further = [path for path in kept if suffixes is not LISTS or _is_tabbed(path)]
        parts = parts or _parts(further, _tried, 2) or _parts(further, part_of, 2)
        if not parts and suffixes is LISTS and len(further) == 1:
            return Tables(((further[0], ""),))  # `SICK.txt` beside its readme
        if parts:
            chosen = {path for path, _ in parts}
            return Tables(parts, tuple(os.path.basename(path) for path in found if path not in chosen))
    bare = [e.path for e in entries(folder) if e.is_file() and "." not in e.name] if LISTS in kinds else []
    bare = [path for path in bare if _is_bare(path)] if len(bare) <= FEW else []
    return Tables(((bare[0], ""),)) if len(bare) == 1 else Tables()


def _dotted(stem: str) -> str:
    """As `split_word`, also with one such word between points: `train.ft`, `cnews.train`."""
    words = {split_word(word) for word in stem.split(".")} - {""}
    return words.pop() if len(words) == 1 else ""


def _tried(name: str) -> str:
    """As `part_of`, with the trial data of SemEval's tasks for validation."""
    return part_of(name) or ("val" if "trial" in words_of(name) else "")


def _parts(paths: Iterable[str], word: Callable[[str], str], least: int) -> tuple[tuple[str, str], ...]:
    """(path, split) of those whose names say a part, if training is one; none where a part has several tables, other
    than numbered pieces of one."""
    by_part: dict[str, list[str]] = defaultdict(list)
    for path, part in parts_among(paths, lambda path: word(os.path.basename(path))).items():
        by_part[part].append(path)
    if "train" not in by_part or len(by_part) < least:
        return ()
    if any(len({NUMBERS.sub("", path) for path in found}) > 1 for found in by_part.values()):
        return ()
    taken = sorted((path, part) for part, found in by_part.items() for path in found)
    return () if of_folds([path for path, _ in taken]) else tuple(taken)


def of_folds(paths: Iterable[str]) -> bool:
    """Whether tables are of several folds of cross-validation: each says the parts anew."""
    return len({found[1] for path in paths if (found := FOLD.search(os.path.basename(path)))}) > 1
