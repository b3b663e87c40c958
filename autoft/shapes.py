"""What readers tell of masks: where the classes of the pixels of an image stand."""

from __future__ import annotations

from autoft.records import Record


class Shape(Record):
    """One thing that a mask is drawn of."""

    name: str
    """Its class; empty marks pixels that are not to be learned nor scored."""
    polygons: tuple[tuple[float, ...], ...] = ()
    """Rings x1, y1, x2, y2, ... in pixels of the upright image."""
    runs: tuple[int, ...] = ()
    """COCO's run lengths, column by column: how many pixels are outside, inside, outside, ..."""


class Mask(Record):
    """What a reader puts into the field `mask` (`msgspec.to_builtins` of it): where the classes of the pixels stand."""

    path: str = ""
    """Image file; empty where `shapes` are all there is."""
    values: dict[str, str] = {}
    """Value of a pixel -> class: a grey value or palette index such as `7`, or a colour such as `#ff8000`, all in one
    of the two forms. An empty class marks pixels that are not to be learned nor scored."""
    nearest: bool = False
    """Other values count as the nearest one listed (files with loss); else they are told and left out."""
    background: str = ""
    """Class of pixels that no shape covers."""
    shapes: tuple[Shape, ...] = ()
    """Later ones cover earlier ones."""
