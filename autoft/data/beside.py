"""Whether a table beside folders of files says their classes, so that the names of the folders do not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from autoft.data.columns import names_files
from autoft.data.elsewhere import Elsewhere
from autoft.data.media import holds_media, is_media, walk
from autoft.data.tabular import Table, read_table, tables_in
from autoft.errors import AutoftError

KNOWN = 0.5
"""Share of the folders' names that are in a column, for it to be about the same classes; and of the files that the
table must have a row for."""


def table_tells(source: str, folders: Sequence[str], names: Collection[str], field: str) -> bool:
    """Whether the one table of `source` names most of the files below `folders`, and nowhere the folders themselves.

    `batch_1/` and `batch_2/` beside a table of files and kinds are no classes; `cats/` and `dogs/` beside one are.

    Args:
        names: of the folders, taken for classes.
    """
    tables = tables_in(source)
    if len(tables) != 1:
        return False
    try:
        table = read_table(tables[0][0])
    except AutoftError:  # a table that cannot be read says nothing
        return False
    known = {name.lower() for name in names}
    if any(KNOWN * len(known) <= len(known & {cell.lower() for cell in column}) for column in _columns(table)):
        return False
    if len(table.columns) < 2 or not names_files(table.columns, table.rows, field, table.path, Elsewhere(table.path)):
        return False
    files = sum(is_media(path, field) for folder in folders if holds_media(folder, field) for path in walk(folder))
    return len(table.rows) >= KNOWN * files


def _columns(table: Table) -> list[list[str]]:
    return [list(column) for column in zip(*table.rows, strict=True)]
