"""Which of the fields between bars holds what is said: numbers, speakers, languages and phonemes stand beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from autoft_speech._words import has_signs

MOST = 0.5
"""Share of the lines from which on they decide what a field holds."""
PATH = re.compile(r"\w+://.*|\S*[/\\]\S*\.\w{1,5}")
IPA = re.compile("[\u0250-\u02af\u02c8\u02cc\u02d0\u03b8\u00f0\u014b]")
SOUND = re.compile(r"\{?[a-z]{1,6}\d\}?", re.IGNORECASE)
"""A vowel of ARPAbet with its stress, a syllable of pinyin with its tone."""
SOUNDS = 0.2
"""Share of the words of a field that are such from which on they are phonemes."""
SHOWN = 60


def place(rows: Sequence[Sequence[str]]) -> int:
    """The place of what is said, from 1 on, over all lines: of the fields behind the name that are neither numbers nor
    single words beside sentences or words that come again and again, the last one of plain words, which is the
    normalised one where there are two."""
    widths = sorted(len(row) for row in rows)
    last = max(1, (widths[len(widths) // 2] if widths else 2) - 1)
    cells = {field: [row[field] for row in rows if len(row) > field and row[field]] for field in range(1, last + 1)}
    words = [field for field, found in cells.items() if found and not _share(found, _is_no_text) > MOST]
    most = max((len({*cells[field]}) for field in words), default=0)
    sentences = any(_share(cells[field], _is_sentence) > MOST for field in words)
    texts = [field for field in words if not _single(cells[field], sentences, most)] or words
    plain = [field for field in texts if not _share(cells[field], _is_phonemes) > MOST]
    return (plain or texts or [last])[-1]


def shown(field: int, said: str) -> str:
    """For the user: which field it is, and how its first line reads."""
    return f"field {field + 1}, the first says '{said if len(said) <= SHOWN else said[:SHOWN] + '...'}'"


def _share(cells: Sequence[str], of: Callable[[str], bool]) -> float:
    return sum(map(of, cells)) / len(cells)


def _is_no_text(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return PATH.fullmatch(cell) is not None
    return True


def _is_sentence(cell: str) -> bool:
    return " " in cell or has_signs(cell)


def _single(cells: Sequence[str], sentences: bool, most: int) -> bool:
    """Whether no cell has two words, though other fields have `sentences`, or `most` different cells, far more."""
    return not any(map(_is_sentence, cells)) and (sentences or 2 * len({*cells}) < most)


def _is_phonemes(cell: str) -> bool:
    words = cell.split()
    spelled = len(words) > 2 and all(len(word) == 1 for word in words)
    return bool(IPA.search(cell)) or spelled or sum(map(bool, map(SOUND.fullmatch, words))) > SOUNDS * len(words)
