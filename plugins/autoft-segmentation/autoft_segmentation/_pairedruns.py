"""Run lengths as contests write them: pairs of a start, counted from 1, and a length, down columns or along rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Size = tuple[int, int]

NONE = frozenset({"", "-1", "nan", "none", "null"})
"""Cells, in small letters, that say that there is nothing."""


class Runs(NamedTuple):
    """Those of one thing, in the order of their starts."""

    starts: Array
    """int64, from 1; some programs count from 0."""
    lengths: Array


def parse(cell: str) -> Runs:
    """
    Raises:
        ValueError: they are no such pairs.
    """
    words = cell.replace(",", " ").strip(" []").split()
    if len(words) % 2 or not all(map(str.isdecimal, words)):
        raise ValueError("run lengths must be pairs of a start and a length")
    pairs = np.array(words, np.int64).reshape(-1, 2)
    pairs = pairs[pairs[:, 0].argsort(kind="stable")]
    starts, lengths = pairs[:, 0], pairs[:, 1]
    if (starts[1:] < starts[:-1] + lengths[:-1]).any():
        raise ValueError("run lengths must not overlap")
    return Runs(starts, lengths)


def go_down(found: Iterable[tuple[Runs, Size]]) -> bool:
    """Whether runs go down the columns of their pictures (width, height), and not along the rows.

    Runs that follow each other in a thing lie side by side: in the right direction much of each has the next one
    beside it. Of square pictures nothing tells; contests go down.
    """
    down = along = 0
    for runs, (width, height) in found:
        down += _beside(runs, height)
        along += _beside(runs, width)
    return down >= along


def _beside(runs: Runs, stride: int) -> int:
    """Pixels of each run that have one of the next run beside them."""
    ends = runs.starts + runs.lengths
    low = np.maximum(runs.starts[:-1] + stride, runs.starts[1:])
    return int(np.maximum(0, np.minimum(ends[:-1] + stride, ends[1:]) - low).sum())


def counts(runs: Runs, size: Size, *, first: int, down: bool) -> tuple[int, ...]:
    """COCO's run lengths of the whole picture: how many pixels are outside, inside, outside, ..., down its columns.

    Args:
        size: width and height.
        first: the number of the first pixel.

    Raises:
        ValueError: they go beyond the picture.
    """
    width, height = size
    starts = runs.starts - first
    ends = starts + runs.lengths
    if len(ends) and (ends[-1] > width * height or starts[0] < 0):
        raise ValueError(f"run lengths end at pixel {ends[-1]}, the picture has {width * height}")
    if not down:
        flat = np.zeros(width * height + 1, np.int8)
        np.add.at(flat, starts, 1)
        np.add.at(flat, ends, -1)
        flat = flat[:-1].cumsum(dtype=np.int8).reshape(height, width).T.ravel()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
    else:
        edges = np.stack([starts, ends], 1).ravel()
    return tuple(np.diff(np.concatenate([[0], edges, [width * height]])).tolist())
