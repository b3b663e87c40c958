"""Several labels of one sample, as tables write them: a column of 0 and 1 for each label, or one column of lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from autoft.data import columns, labellists
from autoft.data.guess import NO, YES
from autoft.data.tabular import Table
from autoft.errors import DataError
from autoft.records import ReadOptions

FIELD: Final = "labels"
MINUS: Final = frozenset({"-1", "-1.0"})
"""No, in a column that never says 0."""
MARKS: Final = frozenset({"x", "\u2713", "\u2714", "\u2611", "\u2612", "\u2717", "*", "+"})
"""Yes, in a column that says nothing else. Unasked it must leave cells empty, too: people cross what applies."""
SURE: Final = 0.95
"""Share of the filled cells that must be a yes or a no for a column to be taken for a label, unasked."""
SHOWN: Final = 5


class Labels(NamedTuple):
    """Where the labels of a table's rows stand, and how they are written."""

    names: tuple[str, ...]
    """The columns: several of yes and no, or the one with lists."""
    places: tuple[int, ...]
    flags: bool
    """Each column is one label."""
    minus: tuple[bool, ...] = ()
    """For each column whether -1 is a no, or counts as one."""
    separator: str = ""
    """Between the labels of a list, see `labellists.separator`."""
    written: str = ""
    """How lists are written, for the user."""
    remark: str = ""
    """On -1 beside 0 and 1, for the user."""
    marks: tuple[str, ...] = ()
    """For each column the mark that is a yes in it, or an empty string."""

    def of(self, cells: Sequence[str]) -> list[str]:
        """The labels of a row, each once, in their order there. An empty cell is no label.

        Raises:
            ValueError: a cell is neither yes nor no; its message quotes the cell.
        """
        if not self.flags:
            return list(dict.fromkeys(labellists.split(cells[self.places[0]], self.separator)))
        found = []
        for name, place, minus, mark in zip(self.names, self.places, self.minus, self.marks, strict=True):
            word = cells[place].lower()
            if word in YES or (mark and word == mark):
                found.append(name)
            elif word and word not in NO and not (minus and word in MINUS):
                raise ValueError(f"'{cells[place]}' in column '{name}' is neither yes nor no")
        return found

    def sentence(self) -> str:
        """How they were told, for the user."""
        if not self.flags:
            return f"labels in column '{self.names[0]}', {self.written}{self.remark}"
        shown = ", ".join(self.names[:SHOWN])
        more = f" and {len(self.names) - SHOWN} more" if len(self.names) > SHOWN else ""
        turned = ", -1 is no" if any(self.minus) and not self.remark else ""
        shapes = sorted({*self.marks} - {""})
        turned += f", {' and '.join(map(repr, shapes))} is yes" if shapes else ""
        return f"labels in {len(self.names)} columns of yes and no ({shown}{more}{turned}){self.remark}"


def find(options: ReadOptions, tables: Sequence[Table], taken: Sequence[set[str]]) -> list[Labels | None]:
    """Where each table has its labels. Lists are looked at together: a small table may show no separator.

    Args:
        taken: for each table, columns that are spoken for.

    Raises:
        UsageError: a column that the user named does not exist.
        DataError: a column was not named, and none or several could be meant.
    """
    found = [_in_table(options, table, own) for table, own in zip(tables, taken, strict=True)]
    cells = [row[one.places[0]] for one, table in zip(found, tables, strict=True) if one and not one.flags
             for row in table.rows]  # fmt: skip
    between = labellists.separator(cells)
    written = labellists.said(cells, between)
    return [one._replace(separator=between, written=written) if one and not one.flags else one for one in found]


def exclusive(table: Table, names: Sequence[str]) -> Labels | None:
    """The columns, if there are two or more, each of yes and no, and nearly every row has one yes: they are the
    classes of one label, as contests write them."""
    if len(names) < 2 or not all(is_flag(table, name) for name in names):
        return None
    found = of_columns(table, names)
    ones = 0
    for row in table.rows:
        try:
            ones += len(found.of(row)) == 1
        except ValueError:  # neither yes nor no
            continue
    return found if ones >= SURE * len(table.rows) else None


def never(found: Iterable[Labels | None], seen: Iterable[str | None]) -> list[str]:
    """Columns of yes and no that never say yes.

    Args:
        seen: the labels of all rows.
    """
    known = set(seen)
    return [
        name for name in dict.fromkeys(n for one in found if one and one.flags for n in one.names) if name not in known
    ]


def _in_table(options: ReadOptions, table: Table, taken: set[str]) -> Labels | None:
    names = table.columns
    if FIELD in options.columns:
        named = columns.several(options.columns[FIELD], names, "--target", table.path)
        return _with_uncertain(of_columns(table, named), table)
    taken = taken | columns.aside(names)
    free = [name for name in names if name not in taken and name.lower() not in columns.INDEX_NAMES]
    usual = [name for name in columns.by_name(free, FIELD) if not is_flag(table, name)]
    if len(usual) == 1:
        return of_columns(table, usual)
    flags = [name for name in free if is_flag(table, name)]
    inner = table.inner()
    outer = [name for name in flags if name not in inner]
    flags = outer if len(outer) > 1 else flags
    if len(flags) > 1:
        return _with_uncertain(of_columns(table, flags), table, [n for n in free if n not in flags])
    ending = [name for name in free if columns.last_word(name) in columns.USUAL[FIELD] and not is_flag(table, name)]
    if len(ending) == 1:
        return of_columns(table, ending)
    lists = [name for name in free if not columns.holds_paths(_cells(table, name), table.path)]
    if len(lists) == 1:
        return of_columns(table, lists)
    if FIELD in options.optional:
        return None
    reason = f"several could be: {', '.join(lists)}" if lists else "none looks like it"
    raise DataError(
        f"several columns of 0 and 1 in '{table.path}', or one with lists, must be the labels, but {reason}. "
        f"Its columns are: {columns.shown(names)}.",
        "Name it, or all of them: --target COLUMN or --target COLUMN,COLUMN",
    )


def of_columns(table: Table, names: Sequence[str]) -> Labels:
    """The labels in these columns: of lists where it is one, else of yes and no."""
    places = tuple(table.columns.index(name) for name in names)
    flags = len(names) > 1 or is_flag(table, names[0]) or bool(_uncertain(table, names[0]))
    minus = tuple(_minus(_cells(table, name)) for name in names) if flags else ()
    marks = tuple(_mark(_cells(table, name)) for name in names) if flags else ()
    return Labels(tuple(names), places, flags, minus, marks=marks)


def _with_uncertain(found: Labels, table: Table, others: Sequence[str] = ()) -> Labels:
    """The same, where -1 beside 0 and 1 counts as no: a row has other labels, for which it is worth keeping.

    Args:
        others: columns that were not taken.
    """
    if not found.flags:
        return found
    counts = [_uncertain(table, name) for name in found.names]
    minus = tuple(turned or count > 0 for turned, count in zip(found.minus, counts, strict=True))
    remark = ""
    if names := [name for name, count in zip(found.names, counts, strict=True) if count]:
        remark += f"; -1 beside 0 and 1 counts as no: {sum(counts):,} cell{'s' * (sum(counts) > 1)} in {_quoted(names)}"
    if left := [name for name in others if _uncertain(table, name)]:
        remark += f"; not taken: {_quoted(left)}, which say -1 beside 0 and 1 (named in --target as well, -1 is no)"
    return found._replace(minus=minus, remark=remark)


def _quoted(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:SHOWN]) + more


def _uncertain(table: Table, name: str) -> int:
    """Cells of -1 in a column of yes and no that says no as well; 0 in any other column."""
    filled = [cell.lower() for cell in _cells(table, name) if cell]
    if (
        not {*filled} & NO
        or not {*filled} & YES
        or sum(cell in YES | NO | MINUS for cell in filled) < SURE * len(filled)
    ):
        return 0
    return sum(cell in MINUS for cell in filled)


def is_flag(table: Table, name: str) -> bool:
    """Whether nearly all filled cells of a column are a yes or a no."""
    cells = _cells(table, name)
    filled = [cell.lower() for cell in cells if cell]
    known = YES | NO | (MINUS if _minus(filled) else frozenset()) | ({_mark(cells)} if "" in cells else set())
    return bool(filled) and sum(cell in known for cell in filled) >= SURE * len(filled)


def _minus(cells: Sequence[str]) -> bool:
    words = {cell.lower() for cell in cells}
    return bool(words & MINUS) and not words & NO


def _mark(cells: Sequence[str]) -> str:
    """The mark that all filled cells of a column have, or an empty string."""
    words = {cell.lower() for cell in cells if cell}
    return next(iter(words & MARKS), "") if len(words) == 1 else ""


def _cells(table: Table, name: str) -> list[str]:
    place = table.columns.index(name)
    return [row[place] for row in table.rows]
