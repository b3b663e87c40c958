"""Text files of boxes, one for each image and a box in each line, as VisDrone and KITTI have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from autoft.api import Issue, Pictures
from autoft_detection._drafts import Draft

HEAD = 20
"""Lines of a file that are looked at."""
Corners = tuple[float, float, float, float]


class Line(NamedTuple):
    """What one line says."""

    corners: Corners
    name: str
    """Of the class; empty where it is not known."""
    crowd: bool = False
    """A region of whatever class, neither learned nor scored."""
    called: str = ""
    """What stands there in place of a name."""


def filled(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def begins(path: str, form: re.Pattern[str]) -> bool:
    """Whether the first lines of a file are of this form."""
    with open(path, encoding="utf-8", errors="replace") as file:
        head = [line.strip() for line in islice(file, HEAD) if line.strip()]
    return bool(head) and all(map(form.fullmatch, head))


def first_filled(texts: Iterable[str]) -> str:
    """The first file with anything in it, or an empty string."""
    return next((path for path in texts if Path(path).stat().st_size), "")


def read(
    root: Path,
    texts: Iterable[str],
    part_of: Callable[[Sequence[str]], str],
    form: re.Pattern[str],
    parse: Callable[[str], Line],
) -> tuple[list[Draft], list[Issue]]:
    """A draft for each text file that has an image, and what could not be read.

    Args:
        part_of: The part of the data, from the names of the folders around a file.
        form: That of a line which `parse` reads.
    """
    pictures, issues, drafts = Pictures(root), list[Issue](), list[Draft]()
    crowds: list[tuple[Draft, Corners]] = []
    for text in texts:
        file = Path(text)
        part = part_of(file.relative_to(root).parts[:-1])
        path = pictures.stemmed(file.stem, file.parent, part)
        if not path:
            issues.append(Issue(kind="orphan_label", subject=pictures.id(text), drops=False))
            continue
        draft = Draft(pictures.id(path), path, part)
        for number, written in enumerate(filled(file), 1):
            if not form.fullmatch(written):
                where = f"{pictures.id(text)} line {number}"
                issues.append(Issue(kind="box_unreadable", subject=where, detail=written[:80], drops=False))
            elif (line := parse(written)).crowd:
                crowds.append((draft, line.corners))
            else:
                draft.add(line.corners, line.name, called=line.called)
        drafts.append(draft)
    seen = sorted({name for draft in drafts for name in draft.names if name})
    for crowd, around in crowds:  # of whatever class the things in them are
        for name in seen:
            crowd.add(around, name, "crowd")
    return drafts, issues
