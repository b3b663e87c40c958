"""Which columns of a table hold boxes: their names, and the two ways to write four sides."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autoft.api import Table, flagged

LEFT = ("xmin", "x1", "left", "xtl", "x0", "minx")
TOP = ("ymin", "y1", "top", "ytl", "y0", "miny")
RIGHT = ("xmax", "x2", "right", "xbr", "maxx")
BOTTOM = ("ymax", "y2", "bottom", "ybr", "maxy")
X, Y = ("x", *LEFT), ("y", *TOP)
WIDTH, HEIGHT = ("w", "width"), ("h", "height")
LISTS = ("bbox", "box", "bboxes", "boundingbox")
"""One column with a list x, y, width, height."""
IMAGES = ("filename", "file", "image", "img", "imageid", "imgid", "imagename", "imgname", "imagepath", "imgpath",
          "filepath", "path", "id", "name")  # fmt: skip
CLASSES = ("class", "classname", "label", "labelname", "category", "categoryname", "name", "type", "species", "classid")
CROWDS = ("isgroupof", "groupof", "iscrowd", "crowd", "difficult", "isdifficult")
"""What is flagged there is no single thing, or not to be scored."""
YES = ("1", "1.0", "true", "t", "yes", "y")
SPLITS = ("split", "set", "subset", "partition")
SURE = 0.95
"""Share of the rows without names whose second corner must lie below and to the right of the first."""
SIZES = (("imagewidth", "imgwidth", "width"), ("imageheight", "imgheight", "height"))


class Boxes(NamedTuple):
    """Places of the columns."""

    image: int
    sides: tuple[int, ...]
    """Four, or the one of lists."""
    corners: bool
    """The sides are x1, y1, x2, y2; else x, y, width, height."""
    label: int | None
    split: int | None
    size: tuple[int, int] | None
    """Width and height of the image."""
    crowds: tuple[int, ...] = ()
    """May be flags of what is not to be scored; `flags` tells."""


def find(columns: Sequence[str]) -> Boxes | None:
    """The columns by their names, or None if there are no boxes."""
    names = [_plain(name) for name in columns]
    sides, corners = _sides(names)
    taken = set(sides)

    def place(known: Sequence[str]) -> int | None:
        return next((names.index(n) for n in known if n in names and names.index(n) not in taken), None)

    image = place(IMAGES)
    if not sides or image is None:
        return None
    taken.add(image)
    label, split = place(CLASSES), place(SPLITS)
    wide, high = (place(known) for known in SIZES)
    size = None if wide is None or high is None else (wide, high)
    crowds = tuple(names.index(name) for name in CROWDS if name in names and names.index(name) not in taken)
    return Boxes(image, sides, corners, label, split, size, crowds)


def flags(tables: Iterable[tuple[Table, Boxes]]) -> frozenset[str]:
    """The names of columns that flag boxes: yes or no in each cell of all tables, and not yes in all. Others of such
    names count people, or tell how difficult a box is."""
    cells = defaultdict[str, set[str]](set)
    for table, boxes in tables:
        rows = [row for row in table.rows if any(row[place] for place in boxes.sides)]
        for place in boxes.crowds:
            cells[table.columns[place]].update(row[place].strip().lower() for row in rows)
    return frozenset(
        name
        for name, words in cells.items()
        if all(word in YES or not flagged(word) for word in words) and not words <= {*YES}
    )


def unnamed(rows: Sequence[Sequence[str]]) -> Boxes | None:
    """The places in a table without names, as RetinaNet's programs take it: an image, two corners and a class, perhaps
    then the image's width and height. None where these are no corners."""
    width = len(rows[0]) if rows else 0
    filled = [row for row in rows if width > 5 and any(row[1:5])]
    if not filled:
        return None
    try:
        sides = [tuple(float(cell) for cell in row[1:5]) for row in filled]
    except ValueError:
        return None
    corners = sum(x1 < x2 and y1 < y2 for x1, y1, x2, y2 in sides)
    return (
        Boxes(0, (1, 2, 3, 4), True, 5, None, (6, 7) if width > 7 else None) if corners >= SURE * len(sides) else None
    )


def four(cells: Sequence[str], boxes: Boxes) -> tuple[float, float, float, float] | None:
    """x1, y1, x2, y2 of a row; None where it has none, not finite where they are no numbers."""
    words: Sequence[object] = [cells[place] for place in boxes.sides]
    if not any(words):
        return None
    if len(words) == 1:
        try:
            words = ast.literal_eval(str(words[0]).strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            words = re.split(r"[\s,;]+", str(words[0]).strip(" []()"))
    try:
        a, b, c, d = (float(str(word)) for word in words)
    except (TypeError, ValueError):
        return (float("nan"),) * 4
    return (a, b, c, d) if boxes.corners else (a, b, a + c, b + d)


def _plain(name: str) -> str:
    """`bbox_x_min` and `XMin` as `xmin`."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain if plain in LISTS else re.sub(r"^b?box", "", plain)


def _sides(names: Sequence[str]) -> tuple[tuple[int, ...], bool]:
    for known, corners in (((LEFT, TOP, RIGHT, BOTTOM), True), ((X, Y, WIDTH, HEIGHT), False)):
        found = [next((names.index(n) for n in each if n in names), None) for each in known]
        places = tuple(place for place in found if place is not None)
        if len(places) == 4:
            return places, corners
    lists = tuple(names.index(name) for name in LISTS if name in names)[:1]
    return lists, False
