"""What the pixels of mask files are, for readers that find out what they mean."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from autoft.data import images

if TYPE_CHECKING:
    from autoft.contracts import Array


SIDE: Final = 256
"""Rows and columns in which connected pieces are looked for."""


class Survey(NamedTuple):
    """What the pixels of one mask file are, for readers."""

    colours: bool
    """Values are 0xRRGGBB; else they are grey values or palette indices."""
    values: dict[int, int]
    """Value -> pixels."""
    palette: dict[int, int]
    """Of a file with a palette: index -> 0xRRGGBB, for the values that occur."""
    lossy: bool
    """Of a format in which pixels come back a little changed."""
    alpha: dict[int, int] = {}
    """Value of the alpha channel -> pixels; empty without one."""


class Piece(NamedTuple):
    """How the pixels of one value lie in a mask."""

    pixels: int
    largest: int
    """Of them, in the largest connected piece."""
    border: int
    """Pairs of neighbours of which one has another value."""
    touching: int
    """Of these, the pairs in which the other one is not 0."""


def survey(path: str) -> Survey:
    """The values in a mask file. RGB files whose channels are alike count as grey.

    Raises:
        BadSample: as `images.decode`.
    """
    found = images.facts(path)
    pixels = found.pixels
    alpha = {} if found.alpha is None else _counted(found.alpha)
    if pixels.ndim == 3:
        grey = bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all())
        return Survey(not grey, _counted(pixels[..., 0] if grey else _codes(pixels)), {}, found.lossy, alpha)
    values = _counted(pixels)
    table = {value: found.palette[value] for value in values if value < len(found.palette)} if found.palette else {}
    return Survey(False, values, table, found.lossy, alpha)


def pieces(path: str) -> dict[int, Piece]:
    """How the values of a grey mask but 0 lie in it, looked at in no more than `SIDE` rows and columns.

    Raises:
        BadSample: as `images.decode`.
    """
    pixels = images.facts(path).pixels
    if pixels.ndim == 3:
        return {}
    steps = [max(1, -(-side // SIDE)) for side in pixels.shape]
    pixels = pixels[:: steps[0], :: steps[1]].astype(np.int64)
    sizes, largest, border, touching = Counter[int](), dict[int, int](), Counter[int](), Counter[int]()
    for value, number in _connected(pixels):
        sizes[value] += number
        largest[value] = max(number, largest.get(value, 0))
    for first, second in ((pixels[1:], pixels[:-1]), (pixels[:, 1:], pixels[:, :-1])):
        for one, other in ((first, second), (second, first)):
            apart = one != other
            border.update(one[apart].tolist())
            touching.update(one[apart & (other != 0)].tolist())
    return {v: Piece(sizes[v], largest[v], border[v], touching[v]) for v in sizes if v}


def _connected(pixels: Array) -> list[tuple[int, int]]:
    """Value and number of pixels of each connected piece, by the runs of its rows."""
    owner: list[int] = []

    def root(run: int) -> int:
        while owner[run] != run:
            owner[run] = owner[owner[run]]
            run = owner[run]
        return run

    runs: list[tuple[int, int]] = []
    above: list[tuple[int, int, int]] = []
    for row in pixels:
        edges = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
        here, place = [], 0
        for start, end in pairwise(edges):
            number = len(runs)
            runs.append((int(row[start]), end - start))
            owner.append(number)
            while place < len(above) and above[place][1] <= start:
                place += 1
            for left, _, other in above[place:]:
                if left >= end:
                    break
                if runs[other][0] == runs[number][0]:
                    owner[root(other)] = root(number)
            here.append((start, end, number))
        above = here
    sizes = Counter[int]()
    for number, (_, length) in enumerate(runs):
        sizes[root(number)] += length
    return [(runs[number][0], size) for number, size in sizes.items()]


def _codes(pixels: Array) -> Array:
    """0xRRGGBB of each pixel."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return red << 16 | green << 8 | blue


def _counted(pixels: Array) -> dict[int, int]:
    """Value -> pixels. Masks are large areas: runs of equal pixels are sorted instead of the pixels."""
    flat = np.ascontiguousarray(pixels).ravel()
    if not flat.size:
        return {}
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=flat.size)
    present, inverse = np.unique(flat[starts], return_inverse=True)
    counts = np.bincount(inverse, weights=lengths).astype(np.int64)
    return {int(value): int(count) for value, count in zip(present, counts, strict=True)}
