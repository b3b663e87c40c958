"""The one of several tables in a folder that is meant: it has the columns that the user named, or names the files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from autoft.data.columns import PROBE, by_name
from autoft.data.media import entries
from autoft.data.named import Files
from autoft.data.tablefiles import Tables, find, is_example, is_table, is_wide
from autoft.data.tabular import Table, head, read_table
from autoft.errors import AutoftError
from autoft.records import ReadOptions

MOST = 20
"""Tables beyond which none is opened to see what it says."""
COVERED = 0.5
"""Share of the files below the folder that a table must name, to be about them; and of a column's cells that must name
files."""


def tables(source: str, options: ReadOptions, medium: str) -> Tables:
    """As `find`. Where tables lie side by side and their names say no parts, the only one with all columns that the
    user named; of several, or where none was named, the only one that names most files of the medium, if no other names
    further ones. Where the user named no target, no other may name files at all, or it alone has a column with a usual
    name for that. Tables with a column for each pixel are others."""
    found = find(source)
    named = {name.strip().lower() for words in options.columns.values() for name in words.split(",")}
    named |= {options.group_col.lower()} - {"", "none"}
    if found.parts or not (named or medium) or not os.path.isdir(source):
        return found
    paths = [e.path for e in entries(source) if e.is_file() and is_table(e.path) and not is_example(e.path)]
    if not 2 <= len(paths) <= MOST:
        return found
    heads = {path: columns for path in paths if not is_wide(path) and (columns := _head(path, options))}
    fits = [path for path, columns in heads.items() if named <= {name.lower() for name in columns}]
    if medium and (len(fits) > 1 or not named):
        targets = [] if options.columns.keys() - {medium} else [field for field in options.needs if field != medium]
        fits = _about_files(
            {path: table for path in fits if (table := _opened(path, options))}, source, medium, targets
        )
    if len(fits) != 1:
        return found
    return Tables(((fits[0], ""),), tuple(os.path.basename(path) for path in paths if path != fits[0]))


def _head(path: str, options: ReadOptions) -> tuple[str, ...]:
    try:
        return head(path, options.encoding)
    except AutoftError:  # whoever names it is told why
        return ()


def _opened(path: str, options: ReadOptions) -> Table | None:
    try:
        return read_table(path, encoding=options.encoding)
    except AutoftError:  # as above
        return None


def _about_files(tables: Mapping[str, Table], source: str, medium: str, targets: Sequence[str]) -> list[str]:
    """The tables that name most files of the medium; none where others name files that these do not.

    Args:
        targets: fields that nobody named: of several tables that name files, one alone must have usual names for them.
    """
    files = Files(next(iter(tables), ""), source, medium)  # they lie in one folder
    found: dict[str, set[str]] = {}
    for path, table in tables.items():
        probe = table.rows[:: max(1, len(table.rows) // PROBE)]  # most columns name no files: a few cells tell
        places = [n for n in range(len(table.columns)) if files.share([row[n] for row in probe]) >= COVERED]
        named = [files.covered([row[place] for row in table.rows]) for place in places]
        found[path] = max(named, key=len, default=set())
    most = [path for path in found if found[path] and len(found[path]) >= COVERED * files.count]
    if len(most) == 1 and not all(own <= found[most[0]] for own in found.values()):
        return []
    about = [path for path in found if found[path]]
    if len(about) > 1 and targets:
        usual = [path for path in about if all(by_name(tables[path].columns, field) for field in targets)]
        return most if usual == most else []
    return most
