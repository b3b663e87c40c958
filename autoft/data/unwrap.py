"""Classes that are written as lists of one, as data sets of several labels have them."""

from __future__ import annotations

from collections.abc import Sequence

from autoft.data import labels
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
    if not cells or not all(cell.startswith("[") and cell.endswith("]") for cell in cells):
        return list(sources)
    several = [cell for cell in cells if len(labels.bracketed(cell)) > 1]
    if several:
        raise DataError(
            f"each row must have one class, but {len(several):,} of {len(cells):,} have several in their list, such as "
            f"{several[0]}.",
            "Leave these rows out, or name a column with one class in each row: --target COLUMN. For images there is "
            "the task image-multilabel.",
        )
    return [
        one if place is None else one._replace(table=one.table._replace(rows=_rows(one, place)))
        for one, place in zip(sources, places, strict=True)
    ]


def _rows(one: Source, place: int) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (*row[:place], next(iter(labels.bracketed(row[place])), ""), *row[place + 1 :]) for row in one.table.rows
    )
