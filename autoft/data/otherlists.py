"""What tables beside class folders say that the folders do not: who is in a file; and which of them nobody reads."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from autoft.data import people
from autoft.data.media import entries, part_of, relative
from autoft.data.named import ASIDE
from autoft.data.tablefiles import is_table, unpacked
from autoft.data.tabular import Table, read_table
from autoft.errors import AutoftError

MOST: Final = 0.9
"""Share of the files that a table must name, and of the cells that must name files."""
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet")
FEW: Final = 20
"""Files beyond which they are no lists: they are about a file each."""
SHOWN: Final = 4
LARGEST: Final = 64 << 20
"""Bytes of a table beyond which it holds pixels or features, and nobody is looked for in it."""
ABOUT: Final = re.compile(
    r"(readme|licen[cs]e|copying|notes?|cite|citation|change|require|about|info|credit|attribution|.*submission)",
    re.IGNORECASE,
)
"""Names of files that are for people, or say how to hand in."""
_CLASS: Final = "\0class"


class Groups(NamedTuple):
    """Who is in the files."""

    of: Mapping[str, str]
    """Path -> person; empty where no table says it."""
    said: str = ""
    table: str = ""


def groups(source: str, root: str, by_class: Mapping[str, str]) -> Groups:
    """The people in files of class folders, as a column of a table there names them: `driver_imgs_list.csv`.

    Args:
        root: the folder of the class folders; tables lie there, in `source` or between them.
        by_class: path of each file -> its class.
    """
    for path in (path for folder in _between(source, root) for path in _files(folder) if is_table(path)):
        if os.path.getsize(path) > LARGEST:
            continue
        try:
            table = read_table(path)
        except AutoftError:  # a table of something else
            continue
        rows = _rows(table, by_class)
        if len({*rows.values()}) < MOST * len(by_class):
            continue
        labelled = table._replace(
            columns=(*table.columns, _CLASS),
            rows=tuple((*table.rows[number], by_class[file]) for number, file in rows.items()),
        )
        found = people.find([labelled], [*table.columns], _CLASS)
        if found.column:
            place = table.columns.index(found.column)
            of = {file: table.rows[number][place] for number, file in rows.items()}
            return Groups(of, f"; as {os.path.basename(path)} says, {found.said}", path)
    return Groups({})


def unread(source: str, root: str, used: Collection[str]) -> str:
    """Which lists and tables beside the folders say nothing to the reader, for the user; empty where there are none."""
    known = {_stem(path) for path in used if path}  # train.json beside train.txt says the same
    folders = _between(source, root)
    aside = [e.path for folder in folders for e in entries(folder) if e.is_dir() and e.name.lower() in ASIDE]
    plain = [path for folder in folders for path in _files(folder)]
    plain = plain if len(plain) <= FEW else []
    beside = [path for folder in aside for path in _files(folder)]
    boxes = [path for path in beside if path.lower().endswith(".json")]  # COCO's, for all pictures
    boxes = boxes if len(boxes) <= FEW else []
    plain += [path for path in beside if path in boxes or part_of(os.path.splitext(os.path.basename(path))[0])]
    found = [path for path in plain if unpacked(path).endswith(SUFFIXES) and _stem(path) not in known]
    names = [relative(path, source) for path in found if not ABOUT.match(os.path.basename(path))]
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"; not read: {', '.join(names[:SHOWN])}{more}"


def _between(source: str, root: str) -> list[str]:
    """The folders from `root` up to `source`."""
    found, folder, last = [], os.path.abspath(root), os.path.abspath(source)
    while folder != last and os.path.dirname(folder) != folder:
        found.append(folder)
        folder = os.path.dirname(folder)
    return [*found, folder]


def _stem(path: str) -> str:
    return os.path.splitext(os.path.abspath(path))[0]


def _files(folder: str) -> list[str]:
    return [entry.path for entry in entries(folder) if entry.is_file()]


def _rows(table: Table, paths: Collection[str]) -> dict[int, str]:
    """Row -> the file that it names, by the column in which nearly all cells name one; files of one name are none."""
    times = Counter(map(os.path.basename, paths))
    known: dict[str, str] = {}
    for path in paths:
        name = os.path.basename(path)
        if times[name] == 1:
            known[name] = path
            known.setdefault(os.path.splitext(name)[0], path)
    for place in range(len(table.columns)):
        names = [row[place].replace("\\", "/").rsplit("/", 1)[-1] for row in table.rows]
        found = {number: known[name] for number, name in enumerate(names) if name in known}
        if len(found) >= MOST * len(names):
            return found
    return {}
