"""Images and masks that lie in Parquet files themselves, as data sets of the Hugging Face hub have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from autoft.api import (
    IMAGE_COLUMNS,
    DataError,
    Dataset,
    Issue,
    ReadOptions,
    Sample,
    Table,
    media_tables,
    read_table,
    table_part,
    to_plain,
)
from autoft_segmentation import _values
from autoft_segmentation._folder import wanted

MASKS = ("mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentation_mask", "gt")
"""Names of the columns, in small letters."""


class _Part(NamedTuple):
    table: Table
    split: str
    image: int
    mask: int


class ParquetMaskReader:
    """Tables with a column of images and one of masks, the files inside."""

    name = "parquet-masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is such tables, or an empty string. Looks at names alone."""
        files = media_tables(source) if wanted(source, options) and "mask" not in options.optional else []
        return f"tables that hold images and masks ({', '.join(file.name for file in files[:3])})" if files else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each row.

        Raises:
            DataError: there are no such tables, or it cannot be told what the masks mean.
        """
        files = media_tables(source) if wanted(source, options) else []
        if not files:
            raise DataError(f"'{source}' must hold tables with images and masks, but it does not.")
        parts = [_part(read_table(str(file), needs=("image", "mask")), table_part(file)) for file in files]
        known = {part.split for part in parts}
        whole = "train" not in known or len(known) == 1
        cells = [row[part.mask] for part in parts for row in part.table.rows]
        meant = None if "mask" in options.optional else options.meaning
        means = _values.meaning([path for path in cells if path], None, source, meant)
        samples: list[Sample] = []
        issues: list[Issue] = []
        for part in parts:
            for number, row in enumerate(part.table.rows, 1):
                name = f"{Path(part.table.path).name}:row {number}"
                image, mask = row[part.image], row[part.mask]
                if not image or not mask:
                    issues.append(Issue(kind="no_mask" if image else "missing", subject=name, detail="empty cell"))
                    continue
                fields = {"image": image, "mask": to_plain(replace(means.mask, path=mask))}
                samples.append(Sample(id=name, fields=fields, split="" if whole else part.split))
        first = parts[0]
        words = f"{self.sniff(source, options) or 'tables'}: image in column '{first.table.columns[first.image]}', "
        words += f"mask in column '{first.table.columns[first.mask]}', {len(samples)} rows: {means.words}"
        root = Path(source).absolute()
        root = root if root.is_dir() else root.parent
        return Dataset(
            samples=tuple(samples),
            reader=self.name,
            root=str(root),
            recognised=words,
            issues=tuple(issues),
            meaning=means.mask,
        )


def _part(table: Table, split: str) -> _Part:
    """The table with the places of its columns.

    Raises:
        DataError: they cannot be told.
    """
    image, mask = (_place(table, names) for names in (IMAGE_COLUMNS, MASKS))
    if image is None or mask is None:
        raise DataError(
            "a table must hold images and masks in one column each, called image and mask or the like, but the columns "
            f"of '{table.path}' with files are: {', '.join(table.media) or 'none'}.",
            "Name the columns image and mask, or write the files into images/ and masks/.",
        )
    return _Part(table, split, image, mask)


def _place(table: Table, names: Sequence[str]) -> int | None:
    found = (table.columns.index(column) for name in names for column in table.media if column.lower() == name)
    return next(found, None)
