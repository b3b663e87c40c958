"""Numbers as people write them in tables, the decimal comma included."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from autoft.records import Issue

COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?,\d+([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
"""What can also be a whole number with its thousands set apart."""


def decimal_comma(cells: Iterable[str]) -> bool:
    """Whether a column writes its fractions behind a comma: some cell can mean nothing else, and none has a point as
    the decimal mark."""
    sure = False
    for cell in cells:
        if COMMA.fullmatch(cell):
            sure = sure or not THOUSANDS.fullmatch(cell)
        elif "." in cell and math.isfinite(_float(cell)):
            return False
    return sure


def number(text: str, where: str, comma: bool = False) -> tuple[float, Issue | None]:
    """The number in a cell, or an issue that quotes it.

    Args:
        comma: the column has a decimal comma; a point then stands between thousands.
    """
    plain = text.replace(".", "").replace(",", ".") if comma and COMMA.fullmatch(text) else text
    found = _float(plain)
    if math.isfinite(found):
        return found, None
    detail = f"'{text}'"
    if THOUSANDS.fullmatch(text):
        detail += " may have a decimal comma, or thousands set apart"
    return 0.0, Issue(kind="no_number", subject=where, detail=detail)


def is_number(text: str) -> bool:
    """Whether a cell is a finite number, with a point or a comma before its fraction."""
    return math.isfinite(_float(text.replace(",", ".", 1) if COMMA.fullmatch(text) else text))


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
