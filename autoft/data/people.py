"""Columns of a table that name people: speakers, patients. One person's samples stay in one part, unasked."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from autoft.data import guess

if TYPE_CHECKING:
    from autoft.data.tabular import Table

NONE: Final = "none"
"""What is named in place of a column of groups where samples are to be divided one by one."""
_SURE: Final = "speaker|spk|spkr|talker|patient|participant|volunteer|signer"
_PERHAPS: Final = "subject|person|client|actor|actress|child|reader|individual|driver"
"""Words that mean other things as well: the subject of a mail, a client's name for a product. They count with an id, in
the name of the column or in its cells."""
_ID: Final = "ids?|no|nr|num|number|code|key|uid|uuid"
NAME: Final = re.compile(rf"({_SURE})s?(name|{_ID})?|({_PERHAPS})s?({_ID})")
"""The name of such a column, in small letters and digits alone."""
PERHAPS: Final = re.compile(rf"({_PERHAPS})s?")
CELL: Final = re.compile(r"[A-Za-z]+[\s_\-]?\d+")
"""An id of somebody: `p002`, `Actor_03`."""
LEAST: Final = 3
"""People that training, validation and test need, in nearly every class."""
MOST: Final = 0.9
"""Share of the rows whose classes have so many people."""
LARGEST: Final = 0.5
"""Share of the rows that one person may have: a part cannot hold most of the data."""
FILLED: Final = 0.5
"""Share of the rows that must name somebody."""
MANY: Final = 10
"""Values from which on another column of ids is worth a word."""


class People(NamedTuple):
    """What was found."""

    column: str = ""
    """Keeps each person in one part."""
    said: str = ""
    remark: str = ""
    """What was not taken, and how to have it."""


def find(tables: Sequence[Table], free: Collection[str], label: str) -> People:
    """The column that names people, where tables that are one set have one.

    Args:
        free: columns that no other role has taken.
        label: the column of the classes, or an empty string.
    """
    first = tables[0]
    names = [name for name in first.columns if name in free and all(t.columns.count(name) == 1 for t in tables)]
    cells = {name: [cell for table in tables for cell in _cells(table, name)] for name in names}
    classes = [cell for table in tables for cell in _cells(table, label)] if label else []
    remark = ""
    for name in [name for name in names if _names_people(name, cells[name])]:
        if not _again(cells[name]):
            continue
        why = _unfit(cells[name], classes)
        if not why:
            people = len({*cells[name]} - {""})
            said = f"each of the {people:,} in '{name}' stays in one part (--group-col {NONE}: divide them)"
            return People(name, said)
        remark = remark or f" (column '{name}' does not keep its samples together: {why})"
    if remark:
        return People(remark=remark)
    ids = [name for name in names if guess.ID.search(name) and _again(cells[name]) and not _unfit(cells[name], classes)]
    ids = [name for name in ids if len({*cells[name]}) >= MANY]
    if not ids:
        return People()
    quoted = f"'{ids[0]}'" if " " in ids[0] else ids[0]
    return People(remark=f" (values of '{ids[0]}' come again; --group-col {quoted} keeps each in one part)")


def _names_people(name: str, cells: Sequence[str]) -> bool:
    plain = re.sub(r"[\W_]+", "", name.lower())
    if NAME.fullmatch(plain):
        return True
    return bool(PERHAPS.fullmatch(plain)) and all(CELL.fullmatch(cell) for cell in cells if cell)


def _again(cells: Sequence[str]) -> bool:
    """Whether values come again, and are not one alone."""
    filled = [cell for cell in cells if cell]
    return 1 < len({*filled}) < len(filled)


def _unfit(cells: Sequence[str], classes: Sequence[str]) -> str:
    """Why these groups cannot be divided into parts that say something; empty where they can."""
    times = Counter(cell for cell in cells if cell)
    if sum(times.values()) < FILLED * len(cells):
        return "most rows name nobody"
    if len(times) < LEAST:
        return f"there are {len(times)}, and {LEAST} or more can be divided into parts"
    value, most = times.most_common(1)[0]
    if most > LARGEST * len(cells):
        return f"most rows are of '{value}'"
    within: dict[str, set[str]] = defaultdict(set)
    for name, cell in zip(classes, cells, strict=bool(classes)) if classes else ():
        within[name].add(cell)
    enough = sum(len(within[name]) >= LEAST for name in classes)
    return "" if enough >= MOST * len(classes) else f"classes have fewer than {LEAST} of them"


def _cells(table: Table, name: str) -> list[str]:
    place = table.columns.index(name)
    return [row[place] for row in table.rows]
