"""Class lists beside the masks: which name belongs to which number or colour."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAMES = ("class_dict.csv", "label_colors.txt", "label_colours.txt", "labelmap.txt", "classes.txt", "labels.txt")
MORE = (
    "_classes.csv",
    "class_names.txt",
    "colormap.csv",
    "color_map.csv",
    "colormap.txt",
    "classes.csv",
    "labels.csv",
    "codes.txt",
    "classes.json",
    "objectinfo150.txt",
)
FILES = NAMES + MORE
"""Files that are looked for in the data folder, the one above the masks, and that of the masks, in lower case."""
IGNORED = frozenset(
    "void unlabelled unlabeled ignore ignored dontcare unknown undefined unclassified none nolabel".split()
)
"""Names, without spaces and signs, of what is neither learned nor scored."""
LARGEST = 1 << 20


class ClassList(NamedTuple):
    """What a file says."""

    file: str
    values: dict[str, str]
    """`7` or `#ff8000` -> class; empty for one that is ignored."""

    @property
    def colours(self) -> bool:
        return any(value.startswith("#") for value in self.values)


def find(folders: list[Path]) -> ClassList | None:
    """The first file of a known name that can be read, in the order of the folders."""
    for folder in folders:
        there = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
        for name in (*FILES, *(name for name in there if "class_dict" in name)):
            if name in there and (found := read(there[name])) is not None:
                return found
    return None


def read(path: Path) -> ClassList | None:
    """The list in a file, or None if it holds none."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):  # not a text that people write; masks may do without
        return None
    if numbered := _numbered(text):
        return ClassList(path.name, numbered)
    rows = list(_json(text) if path.suffix.lower() == ".json" else _rows(text))
    # labelme numbers its list from -1 where it begins with what is ignored.
    first = -1 if rows and rows[0] == ["__ignore__"] else 0
    parsed = [_parse(row, number) for number, row in enumerate(rows, first)]
    good = [entry for entry in parsed if entry]
    if not good or len(good) < len(rows) - 1:  # one row may be a title
        return None
    coloured = [entry for entry in good if entry[0].startswith("#")]
    chosen = coloured if len(coloured) >= len(good) - 1 and coloured else [e for e in good if not e[0].startswith("#")]
    return ClassList(path.name, {value: plain(name) for value, name in chosen if value != "-1"})


def _numbered(text: str) -> dict[str, str]:
    """ADE20K's list: a number and, of a thing's names between commas, the first one; 0 is none of them. Else empty."""
    lines = [[cell.strip() for cell in line.split("\t")] for line in text.splitlines() if line.strip()]
    head = lines.pop(0) if lines else []
    if not {"Idx", "Name"} <= {*head}:
        return {}
    number, name = head.index("Idx"), head.index("Name")
    rows = [cells for cells in lines if len(cells) == len(head) and cells[number].isdecimal()]
    return {"0": "", **{cells[number]: plain(cells[name].split(",")[0]) for cells in rows}}


def is_ignored(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in IGNORED


def plain(name: str) -> str:
    """The class of a name: empty where it is ignored; `_background_` of labelme is the background."""
    if is_ignored(name):
        return ""
    return "background" if name.lower() == "_background_" else name


def _json(text: str) -> Iterator[list[str]]:
    try:
        content = json.loads(text)
    except ValueError:  # no list then
        return
    if isinstance(content, list):
        yield from ([str(name)] for name in content)
    elif isinstance(content, dict):
        yield from ([str(key), str(value)] for key, value in content.items())


def _rows(text: str) -> Iterator[list[str]]:
    """Cells of each line; commas, semicolons, tabs, colons or spaces stand between them."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    comma = sum("," in line for line in lines) > len(lines) / 2
    for line in lines:
        if ":" in line and not re.fullmatch(r"\d+\s*:.*", line):  # CVAT: label:r,g,b:parts:actions
            name, colour, *_ = line.split(":")
            yield [name, *colour.split(",")]
        elif comma:
            yield [cell.strip() for cell in next(csv.reader([line]))]
        else:
            yield re.split(r"[\s;:]+", line)


def _parse(row: list[str], number: int) -> tuple[str, str] | None:
    """(value, class) of one row; None for a title."""
    cells = [cell for cell in row if cell]
    whole = [i for i, cell in enumerate(cells) if re.fullmatch(r"\d{1,5}", cell)]
    words = [cell for i, cell in enumerate(cells) if i not in whole]
    if len(whole) >= 3 and words:
        three = [int(cells[i]) for i in (whole[-3:] if len(whole) == 4 and whole[0] == 0 else whole[:3])]
        if max(three) <= 255:
            return "#" + "".join(f"{value:02x}" for value in three), " ".join(words)
    if len(whole) == 1 and words:
        return cells[whole[0]], " ".join(words)
    if not whole and words and not {word.lower() for word in words} & {"name", "class", "label", "r"}:
        return str(number), " ".join(words)
    return None
