"""Columns of a table that divide its rows: a part in words, a yes or no for a part, folds that stay together."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from autoft.data import columns, guess
from autoft.data.media import part_word, split_word
from autoft.data.tabular import Table

FLAG: Final = re.compile(r"is_?([a-z]+?)(?:_?(?:set|data|image|part))?")
"""Names of columns of yes and no that mark a part: `is_test`, `is_valid`, CUB's `is_training_image`."""
FOLDS: Final = frozenset({"fold", "folds", "kfold", "k_fold", "fold_id", "cv_fold"})
FOLD: Final = re.compile(r"(?:fold)?[\s_\-]?\d+(?:\.0)?", re.IGNORECASE)
"""What stands in a column of folds; other words are classes."""
MOST: Final = 12
"""Words that a column of parts can have at most."""
LEAST: Final = 3
"""Folds that training, validation and test need."""
WORDS: Final = {"trial": "val", "publictest": "val", "privatetest": "test"}
"""What columns call parts besides: SemEval's tasks, and contests, in small letters."""
PARTS: Final = ("test", "val", "train")
"""From the one that wins where a row is marked twice: what is tested is never trained on."""


class Parting(NamedTuple):
    """Which columns divide the rows, and how."""

    split: str = ""
    """Says the part in words."""
    flags: tuple[tuple[str, int, str], ...] = ()
    """Columns of yes and no: name, place and the part that yes means."""
    fold: str = ""
    """Its values never straddle parts."""
    said: tuple[str, ...] = ()
    """What was taken, for the user."""
    remark: str = ""
    """What was not, and why."""
    taken: frozenset[str] = frozenset()

    def marked(self, cells: Sequence[str]) -> str:
        """The part of a row by its yes and no. A row without any yes is of a part that no column marks: it trains, else
        tests, else validates."""
        yes = {own for _, place, own in self.flags if cells[place].lower() in guess.YES}
        known = {own for _, _, own in self.flags}
        other = next((own for own in ("train", "test", "val") if own not in known), "train")
        return next((own for own in PARTS if own in yes), other)


def find(table: Table, named: Collection[str], grouped: bool, parts: bool) -> Parting:
    """The columns that divide a table.

    Args:
        named: columns that the user gave another role.
        grouped: the user named a column of groups.
        parts: the table is itself one of several parts.
    """
    free = [name for name in table.columns if name not in named and table.columns.count(name) == 1]
    split, remark = _in_words(table, free)
    marks = tuple((name, table.columns.index(name), own) for name in free if (own := _marks(table, name)))
    flags = () if split else marks
    taken = (
        {name for name in free if name.lower() in columns.SPLIT_NAMES} | {name for name, _, _ in marks} | {split} - {""}
    )
    said = [f"split in '{split}'"] if split else []
    said += [f"parts in {' and '.join(repr(name) for name, _, _ in flags)} (yes or no)"] if flags else []
    folds = [name for name in free if name.lower() in FOLDS and _folds(table, name)]
    fold = folds[0] if folds and not grouped and not split and not flags and not parts else ""
    if fold and len(_filled(table, fold)) < LEAST:
        remark += f" (column '{fold}' is not used: {LEAST} folds or more can be divided into parts)"
        fold = ""
    said += [f"each fold of '{fold}' stays in one part"] if fold else []
    return Parting(split, flags, fold, tuple(said), remark, frozenset({*taken, *folds}))


def part(word: str) -> str:
    """train, val or test where a cell says so, else an empty string."""
    return part_word(word) or WORDS.get(re.sub(r"[\W_]+", "", word.lower()), "")


def _in_words(table: Table, free: Sequence[str]) -> tuple[str, str]:
    """The column that says the part of each row, by its name, else by its values alone; and what is not used."""
    for name in free:
        if name.lower() in columns.SPLIT_NAMES:
            words = sorted(_filled(table, name))
            if words and all(map(part, words)):
                return name, ""
            return "", _unused(name, words)
    classes = {*columns.USUAL["label"], *columns.USUAL["labels"]}
    said = {name: sorted(_filled(table, name)) for name in free if name.lower() not in classes}
    said = {name: words for name, words in said.items() if 1 < len(words) <= MOST}
    parts = {name: {part(word) for word in words} for name, words in said.items()}
    found = [name for name, own in parts.items() if "train" in own and "" not in own and len(own) > 1]
    if len(found) == 1:
        return found[0], ""
    if found:
        return "", f" (columns {' and '.join(map(repr, found))} say parts, and none of them is used: keep one of them)"
    mixed = [name for name, own in parts.items() if {"train", "", "test"} <= own or {"train", "", "val"} <= own]
    return "", _unused(mixed[0], said[mixed[0]]) if mixed else ""


def _unused(name: str, words: Sequence[str]) -> str:
    others = [word for word in words if not part(word)] or words
    shown = ", ".join(f"'{word}'" for word in others[:3])
    return f" (column '{name}' is not used: it must say train, val or test, but says {shown})"


def _marks(table: Table, name: str) -> str:
    """The part whose rows have a yes in this column, or an empty string."""
    found = FLAG.fullmatch(name.strip().lower())
    marked = split_word(found[1]) if found else ""
    words = {word.lower() for word in _filled(table, name)} if marked else set()
    return marked if words and words <= guess.YES | guess.NO else ""


def _folds(table: Table, name: str) -> bool:
    words = _filled(table, name)
    return bool(words) and 2 * len(words) <= len(table.rows) and all(FOLD.fullmatch(word) for word in words)


def _filled(table: Table, name: str) -> set[str]:
    place = table.columns.index(name)
    return {row[place] for row in table.rows} - {""}
