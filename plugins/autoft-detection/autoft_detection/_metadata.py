"""`metadata.jsonl` beside images, as the Hugging Face library takes folders of images with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from autoft.api import (
    AutoftError,
    Dataset,
    Issue,
    Pictures,
    ReadOptions,
    Table,
    missing_picture,
    part_word,
    read_table,
    walk,
)
from autoft_detection._drafts import Draft
from autoft_detection._objects import OBJECTS, Thing, filled, hold_boxes, listed, value_of
from autoft_detection._reading import dataset, learning, refuse, wanted

NAME = "metadata.jsonl"
FILES = ("file_name", "filename", "image", "file")
"""Names of the column of images."""


class MetadataBoxReader:
    """JSON lines with `file_name`, and `objects` with lists `bbox` and `categories`, in each folder of images.

    Other annotations beside them go before: exports carry several, and those say how their boxes are written."""

    name = "metadata-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is such a folder, or an empty string."""
        found = next(_tables(source), None) if learning(source, options) else None
        return f"{NAME} with boxes" if found and not self._others(source, options) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each line whose image is there. The part is the word of a folder.

        Raises:
            DataError: there are no such files, or boxes are fractions of their images: of which corner is not told.
        """
        tables = list(_tables(source)) if wanted(source, options) else []
        if not tables:
            raise refuse(source, f"{NAME} with file_name and objects in each line")
        root = Path(source).absolute()
        pictures, issues = Pictures(root if root.is_dir() else root.parent), list[Issue]()
        drafts, found = list[Draft](), list[list[Thing]]()
        for table, image, things in tables:
            folder = Path(table.path).parent
            part = part_word(folder.name) or pictures.split(table.path)
            for row in table.rows:
                path = pictures.named(row[image], folder, part)
                if not path:
                    issues.append(missing_picture(row[image]))
                    continue
                drafts.append(Draft(pictures.id(path), path, part))
                found.append(list(listed(value_of(row[things]))))
        words = f"{len(tables)} x {NAME}; boxes are {filled(drafts, found, source)}"
        return dataset(self.name, pictures.root, words, drafts, issues, options)

    def _others(self, source: str, options: ReadOptions) -> bool:
        """Whether another reader of boxes recognises the source. Those that stand before this one were asked."""
        from autoft_detection.plugin import READERS

        behind = (entry.target.split(":") for entry in READERS if entry.name > self.name)
        return any(getattr(import_module(module), name)().sniff(source, options) for module, name in behind)


def _tables(source: str) -> Iterator[tuple[Table, int, int]]:
    """Each with the places of its columns of images and of objects."""
    for file in [source] if Path(source).is_file() else walk(source):
        if Path(file).name.lower() != NAME:
            continue
        try:
            table = read_table(file)
        except AutoftError:  # whatever it is, it holds no boxes
            continue
        lower = [name.lower() for name in table.columns]
        image = next((lower.index(name) for name in FILES if name in lower), -1)
        things = next((lower.index(n) for n in OBJECTS if n in lower and hold_boxes(table, lower.index(n))), -1)
        if image >= 0 <= things:
            yield table, image, things
