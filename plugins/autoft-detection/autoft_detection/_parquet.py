"""Images and boxes that lie in Parquet files themselves, as data sets of the Hugging Face hub have them: a column of
images, and one of `objects` with a list of boxes and one of classes, or these two lists as columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autoft.api import (
    IMAGE_COLUMNS,
    DataError,
    Dataset,
    Issue,
    ReadOptions,
    Table,
    media_tables,
    missing_picture,
    read_table,
    table_part,
)
from autoft_detection._drafts import Draft
from autoft_detection._drawn import BEFORE
from autoft_detection._objects import BOXES, OBJECTS, Thing, filled, hold_boxes, listed, value_of
from autoft_detection._reading import dataset, learning, refuse, wanted


class ParquetBoxReader:
    """Tables with a column of images, the files inside, and boxes in lists."""

    name = "parquet-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is such tables, or an empty string. Looks at names alone, and that nothing else is there."""
        files = media_tables(source) if learning(source, options) else []
        if not files or any(reader().sniff(source, options) for reader in BEFORE):
            return ""
        return f"tables that hold images and boxes ({', '.join(file.name for file in files[:3])})"

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each row. Boxes are x, y, width, height, as on the hub, unless they fit as corners alone.

        Raises:
            DataError: there are no such tables, or boxes are fractions of their images: of which corner is not told.
        """
        files = media_tables(source) if wanted(source, options) else []
        if not files:
            raise refuse(source, "tables with images and boxes")
        issues: list[Issue] = []
        drafts: list[Draft] = []
        found: list[list[Thing]] = []
        for file in files:
            for draft, things in _rows(read_table(str(file), needs=("image", "boxes")), table_part(file), issues):
                drafts.append(draft)
                found.append(things)
        form = filled(drafts, found, source)
        parts = {draft.split for draft in drafts}
        if "train" not in parts or len(parts) == 1:
            for draft in drafts:
                draft.split = ""
        root = Path(source).absolute()
        names = ", ".join(file.name for file in files[:3]) + (", ..." if files[3:] else "")
        words = f"tables of images ({names}; boxes are {form})"
        return dataset(self.name, root if root.is_dir() else root.parent, words, drafts, issues, options)


def _rows(table: Table, split: str, issues: list[Issue]) -> Iterator[tuple[Draft, list[Thing]]]:
    """
    Raises:
        DataError: the columns cannot be told.
    """
    image = next((table.columns.index(c) for name in IMAGE_COLUMNS for c in table.media if c.lower() == name), None)
    lower = [name.lower() for name in table.columns]
    things = next((lower.index(name) for name in OBJECTS if name in lower and hold_boxes(table, lower.index(name))), -1)
    if image is None or (things < 0 and not any(name in lower for name in BOXES)):
        raise DataError(
            "a table must hold images in one column, and boxes in another, called objects or bbox or the like, but the "
            f"columns of '{table.path}' are: {', '.join(table.columns)}.",
            "Name the columns image and objects, with lists bbox and category in it, or write the files and COCO JSON.",
        )
    for number, row in enumerate(table.rows, 1):
        name = f"{Path(table.path).name}:row {number}"
        if not row[image]:
            issues.append(missing_picture(name, "empty cell"))
            continue
        flat = dict(zip(lower, map(value_of, row), strict=True)) if things < 0 else {}
        yield Draft(name, row[image], split), list(listed(flat if things < 0 else value_of(row[things])))
