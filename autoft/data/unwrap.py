"""Classes that are written as lists of one, as data sets of several labels have them."""

from __future__ import annotations

from collections.abc import Sequence

from autoft.data import labellists
from autoft.data.roles import Roles, Source
from autoft.errors import DataError


def alone(sources: Sequence[Source], parts: Sequence[Roles]) -> list[Source]:
    """The tables with `joy` in place of `["joy"]` in their column of classes.

    Raises:
        DataError: a list has several.
    """
    places = [None if roles.left_out else roles.fields.get("label") for roles in parts]
    cells = [
        row[place]
        for one, place in zip(sources, places, strict=True)
        if place is not None
        for row in one.table.rows
        if row[place]
    ]
    between = labellists.separator(cells)
    if not between.startswith(labellists.BRACKETS):
        return list(sources)
    several = [cell for cell in cells if labellists.is_list(cell) and len(labellists.split(cell, between)) > 1]
    if several:
        raise DataError(
            f"each row must have one class, but {len(several):,} of {len(cells):,} have several in their list, such as "
            f"{several[0]}.",
            "Leave these rows out, or name a column with one class in each row: --target COLUMN. For images there is "
            "the task image-multilabel.",
        )
    return [
        one if place is None else one._replace(table=one.table._replace(rows=_rows(one, place, between)))
        for one, place in zip(sources, places, strict=True)
    ]


def _rows(one: Source, place: int, between: str) -> tuple[tuple[str, ...], ...]:
    return tuple((*row[:place], _only(row[place], between), *row[place + 1 :]) for row in one.table.rows)


def _only(cell: str, between: str) -> str:
    return next(iter(labellists.split(cell, between)), "") if labellists.is_list(cell) else cell
