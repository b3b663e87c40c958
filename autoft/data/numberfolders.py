"""Folders that are called by the number of the files in them: `23/1.jpg` for faces of an age of 23 years."""

from __future__ import annotations

import msgspec

from autoft.data import advice
from autoft.data.folder import FolderReader
from autoft.data.layout import find_layout
from autoft.data.media import media_field
from autoft.data.numbers import is_number
from autoft.records import Dataset, ReadOptions

LEAST = 2
"""Numbers that differ."""


class NumberFolderReader:
    """As class folders, where all of their names are numbers, and a number is what is asked for."""

    name = "number-folders"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is such folders, or an empty string."""
        field = media_field(options.needs)
        if not field or set(options.needs) != {field, "value"} or options.optional:
            return ""
        words = FolderReader().sniff(source, _as_classes(options, field))
        layout = find_layout(source, field) if words else None
        names = {folder.label for folder in layout.folders} if layout else set()
        return f"{words}, called by numbers" if len(names) >= LEAST and all(map(is_number, names)) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per file, its number that of its folder.

        Raises:
            DataError: there are no such folders.
        """
        if not self.sniff(source, options):
            raise advice.unrecognised(source, options)
        field = media_field(options.needs)
        found = FolderReader().read(source, _as_classes(options, field))
        samples = tuple(
            msgspec.structs.replace(
                sample,
                fields={field: sample.fields[field], "value": float(str(sample.fields["label"]).replace(",", "."))},
            )
            for sample in found.samples
        )
        words = f"{found.recognised}; the names of the folders are the numbers to learn"
        return msgspec.structs.replace(found, samples=samples, reader=self.name, recognised=words)


def _as_classes(options: ReadOptions, field: str) -> ReadOptions:
    return msgspec.structs.replace(options, needs=(field, "label"))
