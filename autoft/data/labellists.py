"""Several labels in one cell: what stands between them, told by all cells, and lists as programs write them."""

from __future__ import annotations

import ast
import html
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from autoft.data import absent
from autoft.data.numbers import is_number

MARKS: Final = {"|": "bars", ";": "semicolons", ",": "commas", " ": "spaces"}
"""In the order in which they are preferred."""
BRACKETS, SPACED = "[", "[ "
"""Lists in brackets; bare words in them are parted by spaces in the second."""
NEARLY: Final = 0.95
"""Share of the filled cells that must be in brackets, for these to be lists."""
FEW: Final = 0.05
"""Share of the filled cells, below which a mark whose parts stand in no other cell parts nothing: `AC|DC`."""
LESS: Final = 0.25
"""Of the cells with another mark, the share that one needs to go before it; how much less its parts may recur."""
EMPTY: Final = absent.NOTHING | {"None", "null"}
"""Bare in a list of a program."""
ENTITY: Final = re.compile(r"&(?:#\d+|#x[\da-f]+|[a-z]+\d?);", re.IGNORECASE)
WRAPPED: Final = re.compile(r"(?:np\.|numpy\.)?array\((.*?)(?:,\s*dtype=.*)?\)", re.DOTALL)
SCALAR: Final = re.compile(r"(?:np|numpy)\.\w+\((\"[^\"]*\"|'[^']*'|[^()]*)\)")
"""`np.str_('cat')`, as lists of numpy's values show them."""
TOKEN: Final = re.compile(
    r"[\s,]*(?:b?(?P<quoted>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?=[\s,]|$)|(?P<bare>(?:(?!\s+b?['\"])[^,])+))",
    re.DOTALL,
)


def separator(cells: Sequence[str]) -> str:
    """What stands between the labels of a cell, told by all cells of a column; empty where each is one label.

    Of several marks, the one counts that most cells have and whose parts stand in other cells as well: one cell alone
    decides nothing. A space counts only where splitting at it leaves fewer words than there are different cells: labels
    may have spaces.
    """
    filled = Counter(cleaned(cell) for cell in cells if cell and cell not in absent.NOTHING)
    if not filled:
        return ""
    if sum(count for cell, count in filled.items() if is_list(cell)) >= NEARLY * filled.total():
        return SPACED if _spaces_part([cell for cell in filled if is_list(cell)]) else BRACKETS
    found = {mark: _used(mark, filled) for mark in MARKS if mark != " "}
    found = {mark: used for mark, used in found.items() if used[0]}
    best = max((recur for _, recur in found.values()), default=0.0)
    found = {mark: used for mark, used in found.items() if used[1] >= best - LESS}
    most = max((count for count, _ in found.values()), default=0)
    for mark, (count, recur) in found.items():
        if count >= LESS * most and (recur or count >= FEW * filled.total()):
            return mark
    words = {word for cell in filled for word in cell.split()}
    return " " if any(" " in cell for cell in filled) and len(words) < len(filled) else ""


def example(cells: Sequence[str]) -> str:
    """A cell of several labels, where a column of classes looks like one of lists: parted, its cells leave no more than
    half as many different words. Empty where it does not."""
    between, filled = separator(cells), {cell for cell in cells if cell}
    words = {word for cell in filled for word in split(cell, between)} if between else filled
    if not between or 2 * len(words) > len(filled):
        return ""
    return max(filled, key=lambda cell: (len(split(cell, between)), cell))


def split(cell: str, between: str) -> list[str]:
    """The labels of a cell. Words for what is missing are none."""
    cell = cleaned(cell)
    if not cell or cell in absent.NOTHING:
        return []
    if between.startswith(BRACKETS):
        return bracketed(cell, spaced=between == SPACED)
    parts = cell.split(between) if between else [cell]
    return [part.strip() for part in parts if part.strip()]


def said(cells: Sequence[str], between: str) -> str:
    """How the labels are written, and which cells are written otherwise, for the user."""
    filled = [cleaned(cell) for cell in cells if cell and cell not in absent.NOTHING]
    if between.startswith(BRACKETS):
        bare = sum(not is_list(cell) for cell in filled)
        return "lists in brackets" + (f" ({bare:,} cell{'s have' if bare > 1 else ' has'} none)" if bare else "")
    others = {mark: sum(mark in cell for cell in filled) for mark in MARKS if mark not in (" ", between)}
    words = f"separated by {MARKS[between]}" if between else "one in each cell"
    left = ", ".join(f"{MARKS[mark]} in {count:,}" for mark, count in others.items() if count)
    return words + (f" (no separators: {left} cell{'s' if sum(others.values()) > 1 else ''})" if left else "")


def bracketed(cell: str, *, spaced: bool = True) -> list[str]:
    """`["a", "b"]`, `['a' 'b']` and `[1 2]`, as programs write lists; what is no list is split at commas.

    Args:
        spaced: bare words are parted by spaces too.
    """
    text = SCALAR.sub(r"\1", _inside(cell.strip()))
    spaced = spaced and is_list(cell.strip())
    found: list[str] = []
    for token in TOKEN.finditer(text):
        if token["quoted"]:
            found.append(str(ast.literal_eval(token["quoted"])).strip())
            continue
        bare = token["bare"].strip()
        words = bare.split() if spaced or all(map(is_number, bare.split())) else [bare]
        found += [word.removesuffix(".") for word in words if word not in EMPTY]
    return [word for word in found if word]


def is_list(cell: str) -> bool:
    """Whether a cell is written as a list."""
    return (cell.startswith("[") and cell.endswith("]")) or bool(WRAPPED.fullmatch(cell))


def cleaned(cell: str) -> str:
    """With `&` in place of `&amp;`, as pages write it: its semicolon is no separator."""
    return html.unescape(cell) if "&" in cell and ENTITY.search(cell) else cell


def _inside(cell: str) -> str:
    wrapped = WRAPPED.fullmatch(cell)
    cell = wrapped[1].strip() if wrapped else cell
    return cell[1:-1] if cell[:1] + cell[-1:] in ("[]", "()", "{}") else cell


def _spaces_part(lists: Sequence[str]) -> bool:
    """Whether bare words in brackets are parted by spaces: none by commas, and splitting them leaves fewer words than
    there are different lists."""
    bare = [[token["bare"].strip() for token in TOKEN.finditer(_inside(cell)) if token["bare"]] for cell in lists]
    if any(len(words) > 1 for words in bare):
        return False
    words = {word for those in bare for one in those for word in one.split()}
    return any(" " in one for those in bare for one in those) and len(words) < len(lists)


def _used(mark: str, filled: Mapping[str, int]) -> tuple[int, float]:
    """How many cells a mark splits, and which share of their parts stands in other, different cells as well."""
    inside: dict[str, set[str]] = defaultdict(set)
    parts = {cell: [part.strip() for part in cell.split(mark) if part.strip()] for cell in filled}
    for cell, own in parts.items():
        for part in own:
            inside[part].add(cell)
    split = [cell for cell in filled if mark in cell]
    total = sum(filled[cell] * len(parts[cell]) for cell in split)
    again = sum(filled[cell] for cell in split for part in parts[cell] if len(inside[part]) > 1)
    return sum(filled[cell] for cell in split), again / max(1, total)
