"""Shapes that were drawn on pictures, in one form for all labelling tools that export them, for boxes and for masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from autoft.data.pictures import Pictures
from autoft.datarecords import Issue

Ring = tuple[float, ...]
UNREADABLE: Final[Ring] = (math.nan,) * 6
ONLY: Final = "object"
"""The class of all shapes where nothing names classes."""
ROUND: Final = 32
"""Corners of a circle or an ellipse; four of them are its extremes."""
NOTHING: Final = "no annotation"


class DrawnShape(NamedTuple):
    """One shape."""

    name: str
    """Its class; empty where it is not told."""
    ring: Ring = ()
    """x1, y1, x2, y2, ... in pixels from 0; empty for what has no area, not finite for what cannot be read."""
    holes: tuple[Ring, ...] = ()
    """Rings of what is cut out of it."""
    runs: tuple[int, ...] = ()
    """In place of the ring, which is then around it: run lengths of the whole picture, as `Shape` has them."""
    called: str = ""
    """What stands in place of its class, where that is none."""

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Its extremes x1, y1, x2, y2, not finite where it cannot be read; None where it has no area."""
        if not self.ring:
            return None
        if not all(map(math.isfinite, self.ring)):
            return (math.nan,) * 4
        across, down = self.ring[::2], self.ring[1::2]
        return min(across), min(down), max(across), max(down)


class DrawnImage(NamedTuple):
    """An annotated picture that is there."""

    id: str
    """The path below the data folder."""
    path: str
    split: str
    """train, val or test where a folder or a file is called so."""
    size: tuple[int, int]
    """Width and height that the annotations state; zeros where they do not."""
    shapes: tuple[DrawnShape, ...]


class Drawings(NamedTuple):
    """All that a source holds."""

    root: Path
    words: str
    """What was recognised, and how the classes were told."""
    images: tuple[DrawnImage, ...]


class _Form(Protocol):
    def sign(self, source: str) -> str: ...

    def read(self, source: str, target: str, issues: list[Issue]) -> Drawings: ...


FORMS: Final = ("cvat", "labelme", "labelstudio", "supervisely", "via")
"""Each is a module of this package that has `sign` and `read`."""


def drawn_sign(form: str, source: str) -> str:
    """One sentence why `source`, a file or a folder, is in one of the `FORMS`, or an empty string."""
    return _form(form).sign(source)


def read_drawn(form: str, source: str, target: str, issues: list[Issue]) -> Drawings:
    """What was drawn on the pictures of `source`. What cannot be used is added to `issues`.

    Args:
        target: what names the classes, where there are several such things and the user says which; else empty.

    Raises:
        DataError: it cannot be told what names the classes, or nothing is in this form.
        UsageError: there is no such target.
    """
    return _form(form).read(source, target, issues)


def rectangle(x1: float, y1: float, x2: float, y2: float) -> Ring:
    return x1, y1, x2, y1, x2, y2, x1, y2


def ellipse(x: float, y: float, across: float, down: float, turned: float = 0.0) -> Ring:
    """Around its middle, by its two radii.

    Args:
        turned: clockwise, as pictures have y below, in radians.
    """
    ring: list[float] = []
    cosine, sine = math.cos(turned), math.sin(turned)
    for step in range(ROUND):
        angle = 2 * math.pi * step / ROUND
        right, below = across * math.cos(angle), down * math.sin(angle)
        ring += [x + right * cosine - below * sine, y + right * sine + below * cosine]
    return tuple(ring)


def polygon(points: Sequence[tuple[float, float]]) -> Ring:
    """Empty where there are too few points for an area."""
    return tuple(side for point in points for side in point) if len(points) > 2 else ()


def unannotated(pictures: Pictures, images: Sequence[DrawnImage], issues: list[Issue], detail: str = NOTHING) -> None:
    """Adds an issue for each picture that nobody annotated."""
    used = {image.path for image in images}
    for path in pictures.paths:
        if path not in used:
            issues.append(Issue(kind="no_annotation", subject=pictures.id(path), detail=detail, drops=False))


def _form(form: str) -> _Form:
    return cast("_Form", import_module(f"autoft.data.{form}"))
