"""Which column of a table plays which part, and a sentence that says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from autoft.data import columns, labels, numbers
from autoft.data.media import SUFFIXES, media_field, split_word
from autoft.data.named import Files
from autoft.data.tabular import Table
from autoft.errors import DataError
from autoft.records import ReadOptions

HIDDEN: Final = frozenset({"", "-1", "-1.0", "?"})
"""What stands in place of labels that are not told."""
CUTS: Final = (("start", "end"), ("start_time", "end_time"), ("offset", "duration"), ("begin", "end"))
"""Columns that cut a recording into pieces."""


class Roles(NamedTuple):
    fields: dict[str, int]
    split: int | None
    group: int | None
    sentence: str
    comma: bool
    """Numbers have a decimal comma."""
    taken: frozenset[str]
    """Columns that are spoken for."""
    labels: labels.Labels | None = None
    unlabelled: str = ""
    """The column of targets that it lacks, though other tables have it: it is left out."""
    texts: tuple[int, ...] = ()
    """Columns of texts that belong together, where there are several."""


class Source(NamedTuple):
    """One table of several."""

    table: Table
    split: str
    files: Files | None
    """Where the files lie that it names, if it names any."""


def assign(sources: Sequence[Source], options: ReadOptions) -> list[Roles]:
    """Which column plays which part, for each table. The training table is looked at first: others have its columns,
    where they can.

    Raises:
        DataError: columns were not named and cannot be told.
        UsageError: a column that was named does not exist.
    """
    if labels.FIELD not in options.needs:
        return _alike(sources, options)
    rest = _without(options, labels.FIELD)
    parts = _alike(sources, rest)
    tables = [source.table for source in sources]
    found = labels.find(options, tables, [set(roles.taken) for roles in parts])
    return [
        roles._replace(labels=one, sentence=f"{roles.sentence}, {one.sentence()}") if one else roles
        for roles, one in zip(parts, found, strict=True)
    ]


def _alike(sources: Sequence[Source], options: ReadOptions) -> list[Roles]:
    order = sorted(range(len(sources)), key=lambda place: sources[place].split not in ("", "train"))
    first = sources[order[0]]
    found = {order[0]: _roles(first, options)}
    known = {field: first.table.columns[column] for field, column in found[order[0]].fields.items()}
    seen = {field: _cells(first.table, name) for field, name in known.items()}
    for place in order[1:]:
        found[place] = _further(sources[place], options, known, seen)
    return [found[place] for place in range(len(sources))]


def _further(source: Source, options: ReadOptions, known: dict[str, str], seen: dict[str, set[str]]) -> Roles:
    """The roles of a table beside the one whose columns are `known`; without a target it is left out."""
    lower = {name.lower(): name for name in source.table.columns}
    same = {field: lower[name.lower()] for field, name in known.items() if name.lower() in lower}
    there = msgspec.structs.replace(options, columns={**same, **options.columns})
    for field, name in known.items():
        target = field not in SUFFIXES and field != "text" and field not in options.optional
        if not target:
            continue
        cells = _cells(source.table, same[field]) if field in same else {""}
        if cells <= HIDDEN and cells.isdisjoint(seen[field] - {""}):
            why = "says nothing in" if field in same else "has no"
            return Roles(
                {}, None, None, f"it {why} column '{name}' and is left out", False, frozenset(), unlabelled=name
            )
    return _roles(source, there)


def _cells(table: Table, name: str) -> set[str]:
    place = table.columns.index(name)
    return {row[place] for row in table.rows}


def _roles(source: Source, options: ReadOptions) -> Roles:
    """Which column plays which part, and a sentence that says so."""
    table = source.table
    names, pair = table.columns, _pair(table, options)
    options = _without(options, "text") if pair else options
    repeated = {name for name in names if names.count(name) > 1}
    group = columns.named(options.group_col, names, "--group-col", table.path) if options.group_col else ""
    split, remark = _split_column(table, {group, *pair, *options.columns.values()})
    taken = {name for name in (group, split) if name} | repeated | {*pair}
    taken |= {n for n in names if n.lower() in columns.SPLIT_NAMES and n not in options.columns.values()}
    rows = table.rows[:: max(1, len(table.rows) // columns.PROBE)]  # tables may be sorted
    probe = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    chosen = columns.choose(
        options, names, probe, table.path, taken, source.files.share_of_stems if source.files else None
    )
    _refuse_pieces(table, chosen.get(media_field(options.needs), ""))
    comma = "value" in chosen and numbers.decimal_comma(row[names.index(chosen["value"])] for row in table.rows)
    marks = {"value": " (decimal comma)"} if comma else {}
    parts = [f"{field} in column '{name}'{marks.get(field, '')}" for field, name in chosen.items()]
    parts[:0] = [f"texts in columns {' and '.join(map(repr, pair))}"] * bool(pair)
    parts += [f"split in '{split}'"] * bool(split) + [f"groups in '{group}'"] * bool(group)
    return Roles(
        {field: names.index(name) for field, name in chosen.items()},
        names.index(split) if split else None,
        names.index(group) if group else None,
        ", ".join(parts) + remark,
        comma,
        frozenset({*taken, *chosen.values()}),
        texts=tuple(names.index(name) for name in pair),
    )


def _without(options: ReadOptions, field: str) -> ReadOptions:
    return msgspec.structs.replace(
        options,
        needs=tuple(other for other in options.needs if other != field),
        columns={other: name for other, name in options.columns.items() if other != field},
    )


def _pair(table: Table, options: ReadOptions) -> tuple[str, ...]:
    """The columns of texts that belong together, if the user named several."""
    words = options.columns.get("text", "")
    if "text" not in options.needs or "," not in words:
        return ()
    found = columns.several(words, table.columns, "--text-col", table.path)
    return found if len(found) > 1 else ()


def _split_column(table: Table, taken: set[str]) -> tuple[str, str]:
    for index, name in enumerate(table.columns):
        if name.lower() in columns.SPLIT_NAMES and name not in taken:
            words = sorted({row[index] for row in table.rows if row[index]})
            if words and all(split_word(word) for word in words):
                return name, ""
            shown = ", ".join(f"'{word}'" for word in words[:3])
            return "", f" (column '{name}' is not used: it must say train, val or test, but says {shown})"
    return "", ""


def _refuse_pieces(table: Table, column: str) -> None:
    """A table may cut long recordings into pieces; each row would then be learned as the whole recording."""
    lower = {name.lower(): place for place, name in enumerate(table.columns)}
    cut = next((pair for pair in CUTS if all(name in lower for name in pair)), None)
    if not cut or not column:
        return
    place = table.columns.index(column)
    pieces = {(row[place], *(row[lower[name]] for name in cut)) for row in table.rows}
    files = {row[place] for row in table.rows}
    if len(pieces) > len(files):
        raise DataError(
            f"each row of '{table.path}' must be a file of its own, but its columns '{cut[0]}' and '{cut[1]}' cut "
            f"{len(files)} files into {len(pieces)} pieces.",
            "Write one file for each piece, and name these in the table.",
        )
