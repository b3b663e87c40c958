"""What counts as a word of a normalised transcript: what stands between spaces, and in scripts that are written without
spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) each sign, with the marks upon it."""

from __future__ import annotations

import re
import unicodedata

SOLID = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # signs that repeat the one before
    (0x3040, 0x30FF),  # Japanese
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Chinese, also of Japanese
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
SIGN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in SOLID) + "]")


def words(text: str) -> list[str]:
    """The words of a transcript, in order."""
    found: list[str] = []
    joined = False  # whether a letter would belong to the word before it
    for letter in text:
        if letter.isspace():
            joined = False
        elif unicodedata.category(letter)[0] == "M" and found:
            found[-1] += letter
        elif SIGN.match(letter):
            found.append(letter)
            joined = False
        elif joined:
            found[-1] += letter
        else:
            found.append(letter)
            joined = True
    return found


def has_signs(text: str) -> bool:
    """Whether signs of such scripts are in it."""
    return SIGN.search(text) is not None
