"""COCO's run lengths, as a list of numbers or as its compressed text."""

from __future__ import annotations

from typing import Any


def counts(value: Any) -> tuple[int, ...]:
    """Run lengths column by column: how many pixels are outside, inside, outside, ...

    The text has 5 bits of a number in each character (from 48 on), lowest first, a sixth bit that says whether more
    follow; from the third number on it is the difference to the one two places before.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, list):
        found = [int(number) for number in value]
    elif isinstance(value, str):
        found = _text(value)
    else:
        raise ValueError("run lengths must be a list or a text")
    if any(number < 0 for number in found):
        raise ValueError("run lengths must not be negative")
    return tuple(found)


def _text(value: str) -> list[int]:
    found: list[int] = []
    number = shift = 0
    for character in value:
        code = ord(character) - 48
        if not 0 <= code < 64:
            raise ValueError(f"'{character}' is no part of compressed run lengths")
        number |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:  # the sign
            number -= 1 << shift
        found.append(number + (found[-2] if len(found) > 2 else 0))
        number = shift = 0
    if shift:
        raise ValueError("compressed run lengths end within a number")
    return found
