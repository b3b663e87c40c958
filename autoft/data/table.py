"""Tables with one row per sample: a column of paths, a column of labels, perhaps a split and a group."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from autoft.data import advice, columns, labels, numbers
from autoft.data.elsewhere import Elsewhere
from autoft.data.media import SUFFIXES, media_field, split_word
from autoft.data.merge import unique_ids
from autoft.data.tabular import Table, read_table, tables_in
from autoft.records import Dataset, Issue, ReadOptions, Sample

FIELDS = frozenset({*SUFFIXES, "label", labels.FIELD, "value", "text", "transcript"})
TARGETS = ("label", "value", "transcript")
"""Fields with a column of their own that a model learns."""


class TableReader:
    """CSV, TSV or Parquet. Paths in it are relative to the file itself."""

    name = "table"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is a table (or a folder that holds one), or an empty string."""
        required = set(options.needs) - set(options.optional)
        tables = tables_in(source)
        if not tables or not required <= FIELDS:
            return ""
        return " and ".join(os.path.basename(path) for path, _ in tables)

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per row; a row that cannot be used becomes an issue.

        Raises:
            DataError: no table, no rows, or the columns cannot be told apart.
            UsageError: a column that was named does not exist.
        """
        tables = tables_in(source)
        if not tables:
            raise advice.unrecognised(source, options)
        samples: list[Sample] = []
        issues: list[Issue] = []
        sentences = []
        read = [read_table(path) for path, _ in tables]
        for table in read:
            options = columns.remembering(options, table.columns, table.path)
        places = {path: Elsewhere(path) for path, _ in tables}
        if len(tables) > 1:
            tables, read = _labelled(tables, read, options, places, issues)
        parts = _all_roles(read, options, places)
        apart = len({os.path.basename(path) for path, _ in tables}) < len(tables)
        for (path, split), table, roles in zip(tables, read, parts, strict=True):
            issues += table.issues
            name = os.path.relpath(path, source) if apart else os.path.basename(path)
            prefix = f"{name}:" if len(tables) > 1 else ""
            for row, number in zip(table.rows, table.numbers, strict=True):
                _add(_Row(table, row, number, split, prefix, places[path]), roles, options, samples, issues)
            sentences.append(f"{name}, {table.described}, {len(table.rows)} rows: {roles.sentence}")
        fields = [sample.fields for sample in samples]
        seen = [name for one in fields for name in one.get(labels.FIELD) or (one.get("label"),)]
        for name in labels.never([roles.labels for roles in parts], seen):
            issues.append(Issue(kind="absent_label", subject=name, detail=f"no row of {source} says yes", drops=False))
        root = source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source))
        return Dataset(
            samples=unique_ids(samples),
            reader=self.name,
            root=os.path.abspath(root),
            recognised="; ".join(sentences),
            issues=tuple(issues),
        )


class _Roles(NamedTuple):
    fields: dict[str, int]
    split: int | None
    group: int | None
    sentence: str
    comma: bool
    """Numbers have a decimal comma."""
    taken: frozenset[str]
    """Columns that are spoken for."""
    labels: labels.Labels | None = None
    texts: tuple[int, ...] = ()
    """Columns of texts that belong together, where there are several."""


class _Row(NamedTuple):
    table: Table
    cells: tuple[str, ...]
    number: int
    split: str
    prefix: str
    files: Elsewhere


def _labelled(
    tables: tuple[tuple[str, str], ...],
    read: list[Table],
    options: ReadOptions,
    places: Mapping[str, Elsewhere],
    issues: list[Issue],
) -> tuple[tuple[tuple[str, str], ...], list[Table]]:
    """The tables without a test part that nobody has labelled, as contests give it: one that lacks the columns in which
    the training table has the targets."""
    first = next((table for (_, split), table in zip(tables, read, strict=True) if split == "train"), None)
    if first is None:
        return tables, read
    roles = _all_roles([first], options, places)[0]
    targets = {first.columns[place] for field, place in roles.fields.items() if field in TARGETS}
    targets |= set(roles.labels.names if roles.labels else ())
    kept = []
    for (path, split), table in zip(tables, read, strict=True):
        known = {name.lower() for name in table.columns}
        if split == "test" and targets and not options.optional and not any(t.lower() in known for t in targets):
            detail = f"it has no column {' or '.join(map(repr, sorted(targets)))}"
            issues.append(Issue(kind="unlabelled_part", subject=os.path.basename(path), detail=detail, drops=False))
        else:
            kept.append(((path, split), table))
    return tuple(pair for pair, _ in kept), [table for _, table in kept]


def _all_roles(tables: list[Table], options: ReadOptions, places: Mapping[str, Elsewhere]) -> list[_Roles]:
    """Which column plays which part, for each table."""
    if labels.FIELD not in options.needs:
        return [_roles(table, options, places[table.path]) for table in tables]
    rest = _without(options, labels.FIELD)
    parts = [_roles(table, rest, places[table.path]) for table in tables]
    found = labels.find(options, tables, [set(roles.taken) for roles in parts])
    return [
        roles._replace(labels=one, sentence=f"{roles.sentence}, {one.sentence()}") if one else roles
        for roles, one in zip(parts, found, strict=True)
    ]


def _roles(table: Table, options: ReadOptions, files: Elsewhere) -> _Roles:
    """Which column plays which part, and a sentence that says so."""
    names, pair = table.columns, _pair(table, options)
    options = _without(options, "text") if pair else options
    repeated = {name for name in names if names.count(name) > 1}
    group = columns.named(options.group_col, names, "--group-col", table.path) if options.group_col else ""
    split, remark = _split_column(table, {group, *pair, *options.columns.values()})
    taken = {name for name in (group, split) if name} | repeated | {*pair}
    taken |= {n for n in names if n.lower() in columns.SPLIT_NAMES and n not in options.columns.values()}
    probe = {name: [row[i] for row in table.rows[: columns.PROBE]] for i, name in enumerate(names)}
    flags = _one_of_several(table, options, taken)
    options = _without(options, "label") if flags else options
    chosen = columns.choose(options, names, probe, table.path, taken, files)
    comma = "value" in chosen and numbers.decimal_comma(row[names.index(chosen["value"])] for row in table.rows)
    marks = {"value": " (decimal comma)"} if comma else {}
    parts = [f"{field} in column '{name}'{marks.get(field, '')}" for field, name in chosen.items()]
    parts[:0] = [f"texts in columns {' and '.join(map(repr, pair))}"] * bool(pair)
    parts += [f"label in {len(flags.names)} columns of yes and no, one yes in a row"] if flags else []
    parts += [f"split in '{split}'"] * bool(split) + [f"groups in '{group}'"] * bool(group)
    return _Roles(
        {field: names.index(name) for field, name in chosen.items()},
        names.index(split) if split else None,
        names.index(group) if group else None,
        ", ".join(parts) + remark,
        comma,
        frozenset({*taken, *chosen.values()}),
        labels=flags,
        texts=tuple(names.index(name) for name in pair),
    )


def _one_of_several(table: Table, options: ReadOptions, taken: set[str]) -> labels.Labels | None:
    """The columns of yes and no that are the classes of the field `label`: those named, or all that are left beside the
    columns of the other fields."""
    if "label" not in options.needs:
        return None
    if "label" in options.columns:
        return labels.exclusive(table, columns.several(options.columns["label"], table.columns, "--target", table.path))
    spoken = {*taken, *options.columns.values()}
    free = [n for n in table.columns if n not in spoken and n.lower() not in columns.INDEX_NAMES]
    flags = [name for name in free if labels.is_flag(table, name)]
    others = set(options.needs) - {"label", *options.columns}
    if columns.by_name(free, "label") or len(free) - len(flags) > len(others):
        return None
    return labels.exclusive(table, flags)


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


def _add(row: _Row, roles: _Roles, options: ReadOptions, samples: list[Sample], issues: list[Issue]) -> None:
    """Make a sample of a row, or an issue of what is missing."""
    main = media_field(options.needs)
    where = f"{os.path.basename(row.table.path)} line {row.number}"
    fields: dict[str, Any] = {}
    split = split_word(row.cells[roles.split]) if roles.split is not None else row.split
    moved: list[Issue] = []
    for field, column in roles.fields.items():
        text = row.cells[column]
        value, issue = _value(field, text, row.files, split, where, roles.comma, moved)
        if issue and not (field in options.optional and not text):
            issues.append(issue)
            return
        if not issue:
            fields[field] = value
    if roles.texts:
        fields["text"] = [row.cells[place] for place in roles.texts]
        if not any(fields["text"]):
            issues.append(Issue(kind="no_text", subject=where, detail="empty cells"))
            return
    if roles.labels:
        try:
            _set_labels(fields, roles.labels.of(row.cells), options)
        except ValueError as error:
            if not {labels.FIELD, "label"} & {*options.optional}:
                issues.append(Issue(kind="no_flag", subject=where, detail=str(error)))
                return
    issues += moved
    name = row.cells[roles.fields[main]].replace(os.sep, "/") if main in roles.fields else f"row {row.number}"
    group = row.cells[roles.group] if roles.group is not None else ""
    samples.append(Sample(id=row.prefix + name, fields=fields, split=split, group=group))


def _set_labels(fields: dict[str, Any], found: list[str], options: ReadOptions) -> None:
    """All labels of a row, or the one that a class needs.

    Raises:
        ValueError: it is none, or several.
    """
    if labels.FIELD in options.needs:
        fields[labels.FIELD] = found
    elif len(found) == 1:
        fields["label"] = found[0]
    else:
        raise ValueError(f"{len(found)} columns say yes, but one class is needed")


def _value(
    field: str, text: str, files: Elsewhere, split: str, where: str, comma: bool, moved: list[Issue]
) -> tuple[Any, Issue | None]:
    if field in SUFFIXES:
        place = files.find(text, field, split)
        subject = f"{where}: {text}" if text else where
        if place.moved:
            moved.append(Issue(kind="found_elsewhere", subject=subject, detail=place.path, drops=False))
        return place.path, None if place.path else Issue(kind="missing", subject=subject, detail=place.reason)
    if not text:
        return None, Issue(kind=f"no_{field}" if field != "value" else "no_number", subject=where, detail="empty cell")
    if field == "value":
        return numbers.number(text, where, comma)
    return text, None
