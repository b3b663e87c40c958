"""Where a table beside folders says what their names do not: classes other than the folders, or parts."""

from __future__ import annotations

from collections.abc import Mapping

from autoft.data import columns
from autoft.data.media import shared_words
from autoft.data.numbers import is_number
from autoft.data.tablefiles import find, tables_in
from autoft.data.tabular import read_table
from autoft.errors import AutoftError
from autoft.records import ReadOptions

MOST = 0.9
"""Share of the files that a table must name, to be about them; and of equal labels, to say the same as the folders."""


def table_says_more(source: str, root: str, options: ReadOptions, field: str, by_folder: Mapping[str, str]) -> bool:
    """Whether a table beside the folders or above them names nearly all of these files, and gives other classes than
    the folders, such as speakers, in which they lie; or parts, which the folders do not.

    Its labels are in a column with a usual name. They may be words in any column where the folders' names differ in
    numbers alone: `batch_1` and `batch_2` say nothing, `cats` and `dogs` do.

    Args:
        root: the folder of the folders; the table lies there or in `source`.
        by_folder: path of each file -> name of its folder.
    """
    tables = find(source).parts
    if not tables or tables not in (tables_in(root), tables_in(source)) or not by_folder:
        return False
    from autoft.data.table import TableReader

    try:
        usual = all(columns.by_name(read_table(path).columns, "label") for path, _ in tables)
        if not usual and not shared_words(set(by_folder.values())):
            return False
        samples = TableReader().read(source, options).samples
    except AutoftError:  # a table of something else: whoever reads it says so
        return False
    labels = {str(sample.fields[field]): sample.fields.get("label") for sample in samples}
    named = [path for path in by_folder if path in labels]
    if len(named) < MOST * len(by_folder) or (not usual and all(is_number(str(labels[path])) for path in named)):
        return False
    equal = sum(labels[path] == by_folder[path] for path in named)
    return equal < MOST * len(named) or any(sample.split in ("val", "test") for sample in samples)
