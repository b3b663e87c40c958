"""Numbers as people write them in tables: the decimal comma, thousands set apart, a currency or percent sign."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from autoft.records import Issue

COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?,\d+([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
"""What can also be a whole number with its thousands set apart."""
GROUPED: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}){2,}|[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+")
"""What can be nothing else."""
SMALL: Final = re.compile(r"[+-]?\d{1,3}")
"""A whole number that has no thousands."""
LARGE: Final = re.compile(r"[+-]?\d{4,}(\.\d+)?")
"""A number whose thousands are not set apart."""
SIGNED: Final = re.compile(r"([+-]?)\s*([$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba]|US\$)\s*([+-]?[\d.,]+)")
SIGNED_BEHIND: Final = re.compile(r"()([+-]?[\d.,]+)\s*([$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba%]|EUR|USD|GBP)")
"""A number with a sign before or behind it."""


class Form(NamedTuple):
    """How the numbers of a column are written."""

    comma: bool = False
    """With a decimal comma; a point then stands between thousands."""
    thousands: bool = False
    """Commas set thousands apart."""
    sign: str = ""
    """A currency or percent sign that all of them have."""

    def said(self) -> str:
        """For the user, in brackets; empty where they are written plainly."""
        words = ["decimal comma"] * self.comma + ["commas set thousands apart"] * self.thousands
        words += [f"'{self.sign}' in each cell"] * bool(self.sign)
        return f" ({', '.join(words)})" if words else ""


PLAIN: Final = Form()


def form(cells: Iterable[str]) -> Form:
    """How a column writes its numbers, by all of its cells."""
    filled = [cell for cell in cells if cell]
    found = [_unsigned(cell) for cell in filled if any(letter.isdigit() for letter in cell)]
    signs = {sign for sign, _ in found}
    sign = signs.pop() if len(signs) == 1 else ""
    plain = [rest for _, rest in found] if sign else filled
    comma = decimal_comma(plain)
    return Form(comma, not comma and _thousands(plain, sign not in ("", "%")), sign)


def _unsigned(cell: str) -> tuple[str, str]:
    """The sign of a cell, or an empty string, and what is left without it."""
    if before := SIGNED.fullmatch(cell):
        return before[2], before[1] + before[3]
    if behind := SIGNED_BEHIND.fullmatch(cell):
        return behind[3], behind[2]
    return "", cell


def _thousands(cells: Iterable[str], money: bool) -> bool:
    """Whether commas can only set thousands apart: a cell shows it, or they are prices, of which none has three
    decimals, or there are whole numbers below a thousand; and none beyond without a comma."""
    some = sure = False
    small = money
    for cell in cells:
        if LARGE.fullmatch(cell) or (COMMA.fullmatch(cell) and not THOUSANDS.fullmatch(cell)):
            return False
        some = some or bool(THOUSANDS.fullmatch(cell))
        sure = sure or bool(GROUPED.fullmatch(cell))
        small = small or bool(SMALL.fullmatch(cell))
    return sure or (some and small)


def decimal_comma(cells: Iterable[str]) -> bool:
    """Whether a column writes its fractions behind a comma: some cell can mean nothing else, and none has a point as
    the decimal mark."""
    sure = False
    for cell in cells:
        if COMMA.fullmatch(cell):
            sure = sure or not (THOUSANDS.fullmatch(cell) or GROUPED.fullmatch(cell))
        elif GROUPED.fullmatch(cell) or ("." in cell and math.isfinite(_float(cell))):
            return False
    return sure


def number(text: str, where: str, written: Form = PLAIN) -> tuple[float, Issue | None]:
    """The number in a cell, or an issue that quotes it.

    Args:
        written: how the column writes its numbers.
    """
    sign, rest = _unsigned(text)
    plain = rest if written.sign and sign == written.sign else text
    if written.comma and COMMA.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif written.thousands and (THOUSANDS.fullmatch(plain) or GROUPED.fullmatch(plain)):
        plain = plain.replace(",", "")
    found = _float(plain)
    if math.isfinite(found):
        return found, None
    detail = f"'{text}'"
    if THOUSANDS.fullmatch(plain):
        detail += " may have a decimal comma, or thousands set apart"
    return 0.0, Issue(kind="no_number", subject=where, detail=detail)


def is_number(text: str) -> bool:
    """Whether a cell is a finite number, with a point or a comma before its fraction."""
    return math.isfinite(_float(text.replace(",", ".", 1) if COMMA.fullmatch(text) else text))


def are_numbers(cells: Iterable[str]) -> list[bool]:
    """Which cells are numbers, in the way that all of them are written."""
    filled = list(cells)
    written = form(filled)
    return [is_number(cell) or number(cell, "", written)[1] is None for cell in filled]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
