"""Whether the parts of a sample are looked for within the objects that stand in JSON tables."""

from __future__ import annotations

from collections.abc import Sequence

from autoft.data import columns
from autoft.data.nested import name_in
from autoft.data.roles import Roles, Source, assign
from autoft.data.tabular import read_table
from autoft.errors import AutoftError
from autoft.records import ReadOptions


def opened(sources: Sequence[Source], options: ReadOptions) -> list[Source]:
    """The tables, whose objects are cells, with columns in place of these where they are needed: what surrounds a
    sample (`meta`) is not taken for a part of it where columns of the table itself are all parts. Objects that the user
    names stay cells."""
    if not any(one.table.objects for one in sources) or not _needed(sources, options):
        return list(sources)
    closed = _named(options)
    return [
        one._replace(table=read_table(one.table.path, needs=options.needs, encoding=options.encoding, closed=closed))
        if one.table.objects
        else one
        for one in sources
    ]


def remembering(sources: Sequence[Source], options: ReadOptions) -> ReadOptions:
    """As `columns.remembering`, for all tables."""
    for one in sources:
        options = columns.remembering(options, one.table.columns, one.table.path)
    return options


def _needed(sources: Sequence[Source], options: ReadOptions) -> bool:
    """Whether no roles can be told with objects as cells, or one of them is such a column that nobody named, or
    somebody names what is in one."""
    try:
        parts = assign(sources, remembering(sources, options))
    except AutoftError:  # the same or another is raised where there are columns for them
        return True
    named = _named(options)
    held = [name_in(name, "").lower() for one in sources for name in one.table.objects]
    return any(word.startswith(name) for word in named for name in held) or any(
        name in one.table.objects and name.lower() not in named
        for one, roles in zip(sources, parts, strict=True)
        for name in _taken(one, roles)
    )


def _taken(source: Source, roles: Roles) -> list[str]:
    """The columns that hold inputs and targets."""
    found = [source.table.columns[place] for place in (*roles.fields.values(), *roles.texts)]
    return [*found, *(roles.labels.names if roles.labels else ())]


def _named(options: ReadOptions) -> frozenset[str]:
    """What the user calls columns, now or when the model was trained, in small letters."""
    words = [*options.columns.values(), *options.remembered.values(), *options.guessed.values(), options.group_col]
    return frozenset(name.strip().lower() for word in words for name in (word, *word.split(","))) - {""}
