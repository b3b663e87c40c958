"""Lines that begin with their class: `__label__spam some words`, as fastText has them."""

from __future__ import annotations

import os
from typing import Final

from autoft.data.delimited import Rows
from autoft.records import Issue

MARK: Final = "__label__"


def is_marked(text: str) -> bool:
    """By the first line."""
    return text.lstrip().startswith(MARK)


def read(text: str, path: str) -> Rows:
    """A row of `label` and `text` for each line; one with several classes, or none, becomes an issue."""
    rows, numbers, issues = [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words:
            continue
        count = next((place for place, word in enumerate(words) if not word.startswith(MARK)), len(words))
        if count == 1:
            rows.append((words[0].removeprefix(MARK).strip(","), line.strip()[len(words[0]) :].strip()))
            numbers.append(number)
        else:
            where = f"{os.path.basename(path)} line {number}"
            issues.append(Issue(kind="no_label", subject=where, detail=f"it has {count} classes, and one is learned"))
    return Rows(("label", "text"), tuple(rows), tuple(numbers), "fastText (__label__", tuple(issues))
