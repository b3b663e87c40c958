"""Which columns of texts are read together where the user names none: the title beside the article, the question beside
the answer, both halves of a pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from autoft.data import columns, guess
from autoft.data.tabular import Table
from autoft.errors import DataError
from autoft.records import ReadOptions

MOST: Final = 4
"""Of more columns of prose, some are notes; which ones is not guessed."""
BESIDE: Final = frozenset(
    {"title", "headline", "heading", "subject", "summary", "question", "query", "prompt", "context"}
)
"""Last words of the names of columns that go with a column of texts with a usual name."""


def texts(
    options: ReadOptions, table: Table, probe: Mapping[str, Sequence[str]], taken: set[str]
) -> tuple[tuple[str, ...], str]:
    """Several columns of prose in the order of the table, and in words how to read one of them; none where one is
    meant, or where it cannot be told.

    Args:
        probe: some values of each column.
        taken: columns that are spoken for.
    """
    if "text" not in options.needs or "text" in options.columns:
        return (), ""
    free = columns.unspoken(table.columns, {*taken, *options.columns.values()})
    free = columns.outer(free, table.inner(), probe)
    found = columns.likely(free, probe, "text", table.path)
    if len(found) == 1:
        beside = [name for name in free if columns.last_word(name) in BESIDE and guess.shows_prose(name, probe[name])]
        found = [name for name in free if name in {*found, *beside}]
    elif not all(guess.shows_prose(name, probe[name]) for name in found):
        return (), ""
    if not 2 <= len(found) <= MOST or any("," in name or name != name.strip() for name in found):
        return (), ""  # --text-col could not name them
    return tuple(found), f" (--text-col {_quoted(guess.longest(found, probe))} reads one alone)"


def again(table: Table, names: Sequence[str]) -> dict[str, str]:
    """The columns of a further table for the texts that the first one has in these columns.

    Raises:
        DataError: it lacks one.
    """
    lower = {name.lower() for name in table.columns}
    missing = [name for name in names if name.lower() not in lower]
    if missing:
        there = [name for name in names if name not in missing]
        raise DataError(
            f"all tables must have the texts of the first one, in columns {' and '.join(map(repr, names))}, but "
            f"'{table.path}' has no {' and '.join(map(repr, missing))}.",
            f"Read one alone: --text-col {_quoted(there[0]) if there else 'COLUMN'}",
        )
    return {"text": ",".join(names)} if names else {}


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name
