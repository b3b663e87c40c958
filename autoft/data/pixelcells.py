"""Columns whose cells are pictures as numbers, one behind the other: FER2013's `pixels`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from autoft.data import rasters, unpack
from autoft.records import Issue

if TYPE_CHECKING:
    from autoft.contracts import Array

PROBE: Final = 5
"""Cells that are looked at first."""
CELL: Final = re.compile(r"[\[\s]*\d+(\.\d*)?([\s,\]\[]+\d+(\.\d*)?){63,}[\]\s]*")


class Unpacked(NamedTuple):
    """A table with files in place of the numbers."""

    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    media: tuple[str, ...]
    said: str
    issues: tuple[Issue, ...]


def read(columns: Sequence[str], rows: Sequence[tuple[str, ...]], numbers: Sequence[int], path: str) -> Unpacked | None:
    """The rows with files of the pictures in the first column that holds such, or None where none does.

    Raises:
        DataError: the numbers are no pixels.
        UsageError: the cache cannot be written.
    """
    for place, name in enumerate(columns):
        shape = _shape([row[place] for row in rows if row[place]][:PROBE])
        if shape:
            return _unpacked(name, place, shape, rows, numbers, path)
    return None


def _shape(cells: Sequence[str]) -> rasters.Shape | None:
    if not cells or not all(map(CELL.fullmatch, cells)):
        return None
    counts = {len(rasters.SEPARATED.sub(" ", cell).split()) for cell in cells}
    return rasters.square(counts.pop()) if len(counts) == 1 else None


def _unpacked(
    name: str,
    place: int,
    shape: rasters.Shape,
    rows: Sequence[tuple[str, ...]],
    numbers: Sequence[int],
    path: str,
) -> Unpacked:
    kept: list[tuple[tuple[str, ...], int]] = []
    flat: list[Array] = []
    issues: list[Issue] = []
    for row, number in zip(rows, numbers, strict=True):
        try:
            flat.append(rasters.numbers(row[place], shape.rows * shape.columns * shape.colours))
        except ValueError as error:
            where = f"{os.path.basename(path)} line {number}"
            issues.append(Issue(kind="not_pixels", subject=where, detail=str(error)[:100]))
            continue
        kept.append((row, number))
    shape = rasters.laid(shape, flat)
    files = rasters.files(
        f"{unpack.digest(path)}|{place}", shape, rasters.top(flat, f"column '{name}' of '{path}'"), flat
    )
    return Unpacked(
        tuple((*row[:place], file, *row[place + 1 :]) for (row, _), file in zip(kept, files, strict=True)),
        tuple(number for _, number in kept),
        (name,),
        f"each cell of '{name}' a picture of {shape.said()}",
        tuple(issues),
    )
