"""Tables of run lengths, as contests on Kaggle have them: a row for each thing, or for each class of each image."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from autoft.api import (
    DataError,
    Dataset,
    Issue,
    Mask,
    Pictures,
    ReadOptions,
    Sample,
    Shape,
    Table,
    image_header,
    is_table,
    missing_picture,
    part_word,
    read_table,
    to_plain,
    walk,
)
from autoft_segmentation import _pairedruns
from autoft_segmentation._folder import wanted
from autoft_segmentation._order import layered
from autoft_segmentation._pairedruns import Runs, Size

RUNS = ("encodedpixels", "rlemask", "maskrle", "rle", "rles", "segmentation", "annotation", "encoding", "mask")
IMAGES = ("imageid", "imgid", "image", "img", "imagename", "filename", "file", "imagepath", "path", "id")
CLASSES = ("classid", "class", "classname", "label", "labelname", "category", "categoryid", "categoryname", "organ",
           "type", "celltype")  # fmt: skip
"""Names of columns in small letters, without other signs."""
BACKGROUND, FOREGROUND = "background", "foreground"
HEAD = 65536
"""Bytes of a table that are looked at to recognise it."""
TOLD = 500
"""Things by which it is told which way runs go."""


class _Columns(NamedTuple):
    image: int
    runs: int
    label: int | None
    joined: bool
    """The column of images also tells the class: `a.jpg_3`."""


class _Row(NamedTuple):
    path: str
    name: str
    runs: Runs
    size: Size
    said: str
    """Table and line."""


class RunLengthReader:
    """CSV with a column of images and one of run lengths; the images lie anywhere below the folder."""

    name = "rle-masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is such a table, or a folder with one; else an empty string. Looks at the heads of tables."""
        files = [] if "mask" in options.optional else _files(source, options)
        return f"a table of run lengths ({files[0].name})" if files else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image that a row names. What no run covers is background.

        Raises:
            DataError: there is no such table, or there are several that are not one for each part.
        """
        files = _files(source, options)
        if not files:
            raise DataError(
                f"'{source}' must hold a table with columns such as ImageId and EncodedPixels, but it does not.",
            )
        root = Path(source).absolute()
        pictures, issues = Pictures(root if root.is_dir() else root.parent), list[Issue]()
        _refuse_doubles(files, pictures)
        parts = dict[str, str]()
        rows = [row for file in files for row in _rows(read_table(str(file)), pictures, parts, issues)]
        first = 0 if any(len(row.runs.starts) and not row.runs.starts[0] for row in rows) else 1
        drawn = [row for row in rows if len(row.runs.starts)]
        down = _pairedruns.go_down((row.runs, row.size) for row in drawn[:: max(1, len(drawn) // TOLD)])
        shapes = _shapes(drawn, first, down, issues)
        alone = set(parts.values()) == {"train"}
        samples = []
        for path, split in sorted(parts.items()):
            mask = to_plain(Mask(background=BACKGROUND, shapes=layered(shapes[path])))
            fields = {"image": path, "mask": mask}
            samples.append(Sample(id=pictures.id(path), fields=fields, split="" if alone else split))
        issues += [
            Issue(kind="no_annotation", subject=pictures.id(path), detail="no row; not used", drops=False)
            for path in pictures.paths
            if path not in parts
        ]
        number, bare = sum(map(len, shapes.values())), sum(path not in shapes or not shapes[path] for path in parts)
        words = f"tables of run lengths ({', '.join(file.name for file in files[:3])}; they go "
        words += f"{'down columns' if down else 'along rows'}, pixels count from {first}): {len(parts)} images, "
        words += f"{number} masks; what none covers is {BACKGROUND}" + (f"; {bare} images have none" if bare else "")
        found = tuple(issues)
        return Dataset(tuple(samples), reader=self.name, root=str(pictures.root), recognised=words, issues=found)


def _refuse_doubles(files: Sequence[Path], pictures: Pictures) -> None:
    """Second versions and predictions lie beside the truth: drawn with it, they would be part of it.

    Raises:
        DataError: the names of several tables, or of folders around them, do not say that each is another part.
    """
    parts = [_part(file, pictures) for file in files]
    if len(files) > 1 and ("" in parts or len({*parts}) < len(parts)):
        shown = ", ".join(str(file.absolute().relative_to(pictures.root)) for file in files[:10])
        raise DataError(
            f"there must be one table of run lengths, or one for each part (train.csv, val.csv), but there are "
            f"{len(files)}: {shown}{', ...' * (len(files) > 10)}.",
            "Name one of them as the data (--data train.csv), or move the others away.",
        )


def _part(file: Path, pictures: Pictures) -> str:
    """Of a table: the word in its name, else in that of a folder."""
    return part_word(file.stem) or pictures.split(str(file.absolute()))


def _files(source: str, options: ReadOptions) -> list[Path]:
    if not wanted(source, options):
        return []
    files = map(Path, [source] if Path(source).is_file() else walk(source))
    return [file for file in files if is_table(str(file)) and "submission" not in file.name.lower() and _fits(file)]


def _fits(file: Path) -> bool:
    """Whether the head of a table names the columns, and any cell holds runs."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as opened:
            lines = opened.read(HEAD).splitlines()
    except OSError:  # it cannot be read, so it cannot be recognised
        return False
    if not lines or not _columns(re.split(r"[,;\t]", lines[0])):
        return False
    return any(re.search(r"(?:^|[,;\t\"])\d+ \d+(?: \d+ \d+)*(?:$|[,;\t\"])", line.strip()) for line in lines[1:])


def _columns(names: Sequence[str]) -> _Columns | None:
    """Their places, or None where there are no runs and images."""
    plain = [re.sub(r"[^a-z]", "", name.lower()) for name in names]

    def place(known: Sequence[str]) -> int | None:
        return next((plain.index(name) for name in known if name in plain), None)

    runs, image, label = place(RUNS), place(IMAGES), place(CLASSES)
    if runs is None:
        return None
    for number, name in enumerate(names):
        before, _, behind = (re.sub(r"[^a-z_]", "", name.lower())).rpartition("_")
        if image is None and before.replace("_", "") in IMAGES and behind in CLASSES:
            return _Columns(number, runs, None, True)
    return None if image is None else _Columns(image, runs, label if label != runs else None, False)


def _rows(table: Table, pictures: Pictures, parts: dict[str, str], issues: list[Issue]) -> Iterator[_Row]:
    """One for each row whose picture is there; the parts of all that are named are added."""
    columns, file = _columns(table.columns), Path(table.path)
    issues += table.issues
    part = _part(file, pictures)
    sizes = dict[str, Size]()
    for line, cells in zip(table.numbers, table.rows, strict=True) if columns else ():
        assert columns is not None
        image, name = cells[columns.image], cells[columns.label] if columns.label is not None else FOREGROUND
        if columns.joined:
            image, _, name = image.rpartition("_")
        path = pictures.named(image, file.parent, part)
        if not path:
            issues.append(missing_picture(image or f"line {line} of {file.name}"))
            continue
        parts.setdefault(path, pictures.split(path) or part)
        written = cells[columns.runs].strip()
        if written.lower() in _pairedruns.NONE:
            continue
        if path not in sizes:
            header = image_header(path)
            sizes[path] = header.upright if header else (0, 0)
        said = f"{file.name} line {line}"
        try:
            yield _Row(path, f"class {name}" if name.isdigit() else name, _pairedruns.parse(written), sizes[path], said)
        except ValueError as error:
            issues.append(Issue(kind="shape_unreadable", subject=said, detail=str(error), drops=False))


def _shapes(rows: Sequence[_Row], first: int, down: bool, issues: list[Issue]) -> dict[str, list[Shape]]:
    """By the path of the picture."""
    found = defaultdict[str, list[Shape]](list)
    for row in rows:
        try:
            runs = _pairedruns.counts(row.runs, row.size, first=first, down=down)
            found[row.path].append(Shape(name=row.name, runs=runs, size=row.size))
        except ValueError as error:
            issues.append(Issue(kind="shape_unreadable", subject=row.said, detail=str(error), drops=False))
    return found
