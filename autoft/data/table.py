"""Tables with one row per sample: a column of paths, a column of labels, perhaps a split and a group."""

from __future__ import annotations

import os

from autoft.data import advice, columns, inside, listedrows, onetable
from autoft.data.media import media_field, relative
from autoft.data.named import Files
from autoft.data.roles import Source
from autoft.data.rows import FIELDS, told
from autoft.data.tabular import read_table
from autoft.records import Dataset, ReadOptions


class TableReader:
    """CSV, TSV, JSON or Parquet. Paths in it are relative to the file itself, else looked for by their names."""

    name = "table"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is a table (or a folder that holds one), or an empty string."""
        required = set(options.needs) - set(options.optional)
        tables = onetable.tables(source, options, media_field(options.needs)).parts if required <= FIELDS else ()
        return " and ".join(os.path.basename(path) for path, _ in tables)

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per row; a row that cannot be used becomes an issue.

        Raises:
            DataError: no table, no rows, or the columns cannot be told apart.
            UsageError: a column that was named does not exist.
        """
        medium = media_field(options.needs)
        found = onetable.tables(source, options, medium)
        if not found.parts:
            raise advice.unrecognised(source, options)
        sources = [
            _source(path, split, Files(path, source, medium) if medium else None, options)
            for path, split in found.parts
        ]
        sources = inside.opened(sources, options)
        options = inside.remembering(sources, options)
        all_of_it = told(sources, _names(source, [one.table.path for one in sources]), source, options)
        root = source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source))
        listed = listedrows.parted(all_of_it.samples, root, "" if options.optional else medium, bool(options.group_col))
        others = [name for name in found.left_out if f"{name} names the classes" not in all_of_it.sentences]
        left_out = [f"not read: {', '.join(others)}"] if others else []
        return Dataset(
            samples=listed.samples,
            reader=self.name,
            root=os.path.abspath(root),
            recognised="; ".join([*all_of_it.sentences, *listed.said, *left_out]),
            issues=(*all_of_it.issues, *listed.issues),
            columns=all_of_it.columns,
            names=all_of_it.names,
        )


def _source(path: str, split: str, files: Files | None, options: ReadOptions) -> Source:
    table = read_table(path, needs=options.needs, encoding=options.encoding, closed=None)
    if files is None or table.media or any(name.lower() in columns.KNOWN for name in table.columns):
        return Source(table, split, files)
    for place, name in enumerate(table.columns):
        if files.share([name]) and files.share([row[place] for row in table.rows]) > 0.5:
            table = read_table(
                path, named=False, encoding=options.encoding
            )  # the first line names a file, as those below it do
            break
    return Source(table, split, files)


def _names(source: str, paths: list[str]) -> list[str]:
    """What to call each table: its file's name, with its folder where two have the same."""
    plain = [os.path.basename(path) for path in paths]
    if len(set(plain)) == len(plain):
        return plain
    return [relative(path, source) for path in paths]
