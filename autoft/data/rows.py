"""Samples out of the rows of tables, wherever these come from: files, arrays, saved data sets."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from autoft.data import absent, classnames, guess, labels, numbers, pieces, unwrap
from autoft.data.media import SUFFIXES, media_field
from autoft.data.merge import unique_ids
from autoft.data.roles import Roles, Source, assign
from autoft.data.tabular import Table
from autoft.records import Issue, ReadOptions, Sample

FIELDS: Final = frozenset({*SUFFIXES, "label", labels.FIELD, "value", "text", "transcript"})
"""What columns can hold."""
NAMES: Final = ("classes.txt", "class.txt", "class_names.txt", "label_names.txt")
"""Files beside tables that name the classes which are numbers in them."""

WHOLE: Final = re.compile(r"([+-]?\d+)\.0+")


class Told(NamedTuple):
    """What several tables say together."""

    samples: tuple[Sample, ...]
    issues: tuple[Issue, ...]
    sentences: tuple[str, ...]
    """What was taken, for the user."""
    columns: dict[str, str]
    """Field -> column."""
    names: dict[str, str] = {}
    """Number -> name, where a file names the classes."""


def told(sources: Sequence[Source], names: Sequence[str], source: str, options: ReadOptions) -> Told:
    """One sample per row; a row that cannot be used becomes an issue.

    Args:
        names: what to call each of the tables.
        source: what the user named.

    Raises:
        DataError: the columns cannot be told apart.
        UsageError: a column that was named does not exist.
    """
    samples: list[Sample] = []
    issues: list[Issue] = []
    parts = assign(sources, options)
    sources = unwrap.alone(sources, parts)
    sentences = []
    for one, roles, name in zip(sources, parts, names, strict=True):
        if not roles.left_out:
            issues += one.table.issues
            ids = _ids(one.table, roles) if options.optional else None
            for place, (row, number) in enumerate(zip(one.table.rows, one.table.numbers, strict=True)):
                called = ids[place] if ids else f"row {number}"
                read = _Row(one, row, number, called, f"{name}:" if len(sources) > 1 else "")
                _add(read, roles, options, samples, issues)
        table, remark = one.table, one.files.sentence() if one.files else ""
        sentences.append(f"{name}, {table.described}, {len(table.rows)} rows: {roles.sentence}{remark}")
    fields = [sample.fields for sample in samples]
    seen = [name for each in fields for name in each.get(labels.FIELD) or (each.get("label"),)]
    for name in labels.never([roles.labels for roles in parts], seen):
        issues.append(Issue(kind="absent_label", subject=name, detail=f"no row of {source} says yes", drops=False))
    samples = _whole(samples)
    samples, cut = pieces.together(samples)
    path, named = _names(samples, [os.path.dirname(one.table.path) or "." for one in sources], options.classes)
    samples = [classnames.renamed(sample, named) for sample in samples]
    sentences += [cut] * bool(cut) + [f"{os.path.basename(path)} names the classes"] * bool(path)
    return Told(unique_ids(samples), tuple(issues), tuple(sentences), _columns(sources, parts), named)


def _whole(samples: list[Sample]) -> list[Sample]:
    """The samples with `1` in place of `1.0`, where all classes are numbers: a program that wrote a table with empty
    cells made fractions of them, in that part alone."""
    classes = {str(sample.fields["label"]) for sample in samples if "label" in sample.fields}
    plain = {label: found[1] for label in classes if (found := WHOLE.fullmatch(label))}
    if not plain or not all(map(numbers.is_number, classes)):
        return samples
    return [classnames.renamed(sample, plain) for sample in samples]


def _names(samples: list[Sample], folders: list[str], known: Collection[str]) -> tuple[str, dict[str, str]]:
    """The file beside the tables that names just the classes that are numbers, and number -> name."""
    digits = {str(sample.fields["label"]) for sample in samples if "label" in sample.fields}
    if len(digits) < 2 or not all(map(str.isdigit, digits)):
        return "", {}
    path, found = classnames.named(digits, list(dict.fromkeys(folders)), NAMES)
    if path and not classnames.are_named(digits, found, known):
        return "", {}
    return (path, found) if path else classnames.in_json(digits, list(dict.fromkeys(folders)), known)


def _columns(sources: Sequence[Source], parts: list[Roles]) -> dict[str, str]:
    """Field -> column of the first table that is read; of texts that belong together, with commas between them."""
    table, roles = next((one.table, roles) for one, roles in zip(sources, parts, strict=True) if not roles.left_out)
    texts = {"text": ",".join(table.columns[place] for place in roles.texts)} if roles.texts else {}
    return {**texts, **{field: table.columns[place] for field, place in roles.fields.items()}}


def _ids(table: Table, roles: Roles) -> list[str] | None:
    """What the rows of a table to be predicted are called: by its first column of ids, if all of these differ."""
    for place, name in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        if name not in roles.taken and guess.is_named_id(name) and all(cells) and len(set(cells)) == len(cells):
            return cells
    return None


class _Row(NamedTuple):
    source: Source
    cells: tuple[str, ...]
    number: int
    called: str
    prefix: str


def _add(row: _Row, roles: Roles, options: ReadOptions, samples: list[Sample], issues: list[Issue]) -> None:
    """Make a sample of a row, or an issue of what is missing."""
    main = media_field(options.needs)
    where = f"{os.path.basename(row.source.table.path)} line {row.number}"
    split = roles.part(row.cells, row.source.split)
    fields: dict[str, Any] = {}
    for field, column in roles.fields.items():
        text = row.cells[column]
        value, issue = _file(row.source, text, split, where) if field in SUFFIXES else _word(field, text, where, roles)
        if issue and not (field in options.optional and (not text or field == "label")):
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
            fields |= _labels(roles.labels.of(row.cells), options)
        except ValueError as error:
            if not {labels.FIELD, "label"} & {*options.optional}:
                issues.append(Issue(kind="no_flag", subject=where, detail=str(error)))
                return
    table = row.source.table
    named = main in roles.fields and table.columns[roles.fields[main]] not in table.media
    name = row.cells[roles.fields[main]].replace(os.sep, "/") if named else row.called
    if roles.cut:
        span = roles.cut.span(row.cells)
        if span is None:
            issues.append(Issue(kind="no_piece", subject=where, detail="no times of a piece"))
            return
        fields[pieces.PIECE] = span
        name = pieces.named(name, span)
    group = row.cells[roles.group] if roles.group is not None else ""
    samples.append(Sample(id=row.prefix + name, fields=fields, split=split, group=group))


def _labels(found: list[str], options: ReadOptions) -> dict[str, Any]:
    """All labels of a row, or the one that a class needs.

    Raises:
        ValueError: it is none, or several.
    """
    if labels.FIELD in options.needs:
        return {labels.FIELD: found}
    if len(found) == 1:
        return {"label": found[0]}
    raise ValueError(f"{len(found)} columns say yes, but one class is needed")


def _word(field: str, text: str, where: str, roles: Roles) -> tuple[Any, Issue | None]:
    if not text:
        return None, Issue(kind=f"no_{field}" if field != "value" else "no_number", subject=where, detail="empty cell")
    if field == "label" and text in roles.missing:
        return None, Issue(kind="no_label", subject=where, detail="a dash" if text == absent.DASH else f"'{text}'")
    return numbers.number(text, where, roles.number) if field == "value" else (text, None)


def _file(source: Source, text: str, split: str, where: str) -> tuple[str, Issue | None]:
    """The file that a cell names."""
    assert source.files is not None
    found = source.files.find(text, split)
    if found.path:
        return found.path, None
    return "", Issue(kind=found.kind, subject=f"{where}: {text}" if text else where, detail=found.reason)
