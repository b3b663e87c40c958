"""Text files with a line for each image, as YOLO's Keras programs take them: `a.jpg 10,20,30,40,0 15,25,35,45,1`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, part_word, walk
from autoft_detection._beside import filled
from autoft_detection._drafts import Draft
from autoft_detection._drawn import BEFORE
from autoft_detection._reading import dataset, learning, refuse, wanted

LINE = re.compile(r"(.+?\.\w{3,5})((?: -?\d+(?:\.\d+)?(?:,-?\d+(?:\.\d+)?){3},\d{1,6})*)")
"""A path, then boxes: x1, y1, x2, y2, class."""
NAMES = ("_classes.txt", "classes.txt")
HEAD = 20


class RowsReader:
    """Roboflow's `_annotations.txt` with `_classes.txt`, in each part's folder."""

    name = "rows-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at the first lines of text files."""
        found = next(_files(source), None) if learning(source, options) else None
        if not found or any(reader().sniff(source, options) for reader in BEFORE):
            return ""
        return f"a line of boxes for each image ({found.name})"

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line whose image is there; one without boxes has none.

        The part is the word in the name of the file or of its folder. Classes are named by `_classes.txt` beside it.

        Raises:
            DataError: there are no such files.
        """
        files = list(_files(source)) if wanted(source, options) else []
        if not files:
            raise refuse(source, "text files with a line for each image: a.jpg 10,20,30,40,0")
        path = Path(source).absolute()
        pictures, issues, drafts = Pictures(path if path.is_dir() else path.parent), list[Issue](), list[Draft]()
        named = set[str]()
        for file in files:
            part = part_word(file.stem) or pictures.split(str(file))
            names = _names(file, named)
            for number, written in enumerate(filled(file), 1):
                line = LINE.fullmatch(written)
                place = pictures.named(line[1], file.parent, part) if line else ""
                if line and place:
                    drafts.append(_draft(line[2], names, Draft(pictures.id(place), place, part)))
                elif line:
                    issues.append(missing_picture(line[1]))
                else:
                    where = f"{pictures.id(str(file))} line {number}"
                    issues.append(Issue(kind="box_unreadable", subject=where, detail=written[:80], drops=False))
        words = f"a line of boxes for each image ({', '.join(pictures.id(str(file)) for file in files)}"
        words += f"; {' and '.join(sorted(named))} names the classes)" if named else "; classes are numbers)"
        return dataset(self.name, pictures.root, words, drafts, issues, options)


def _draft(boxes: str, names: list[str], draft: Draft) -> Draft:
    for box in boxes.split():
        x1, y1, x2, y2, kind = box.split(",")
        name = (names[int(kind)] if int(kind) < len(names) else "") if names else kind
        draft.add((float(x1), float(y1), float(x2), float(y2)), name, called=kind)
    return draft


def _names(file: Path, named: set[str]) -> list[str]:
    """Of the classes, as a list beside the file has them; its name is added to `named`."""
    found = next((file.parent / name for name in NAMES if (file.parent / name).is_file()), None)
    if found is None:
        return []
    named.add(found.name)
    return filled(found)


def _files(source: str) -> Iterator[Path]:
    for path in [source] if Path(source).is_file() else walk(source):
        if path.lower().endswith(".txt"):
            head = _head(path)
            if any(line[2] for line in head if line) and all(head):
                yield Path(path).absolute()


def _head(path: str) -> list[re.Match[str] | None]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for _, line in zip(range(HEAD), file, strict=False) if line.strip()]
    except OSError:  # it cannot be read, so it cannot be recognised
        return []
    return [LINE.fullmatch(line) for line in lines]
