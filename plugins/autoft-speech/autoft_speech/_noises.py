"""Marks of what is heard but not said: `[laughter]`, `<unk>`, `{breath}`, `++noise++`."""

from __future__ import annotations

import re
from collections import Counter

MARK = re.compile(r"<(?!\s)[^<>]{1,30}(?<!\s)>|\[[^\[\]]{1,30}\]|\{[^{}]{1,30}\}|\+\+[^+\s]{1,30}\+\+")
SAID = re.compile(r"\[laughter-([^\[\]\s]+)\]")
"""A word that is said and laughed at once, in Switchboard."""
ROUND = re.compile(
    r"\((?:cough|laugh|breath|sigh|sniff|noise|music|applause|silence|pause|hesitation|inaudible|unintelligible|"
    r"background)[a-z]*(?: [a-z]+)?\)"
)
"""In round brackets stand words that are said as well: these are left, and named."""


def without(text: str, found: Counter[str] | None = None) -> str:
    """A text in small letters without marks of noises; these are counted in `found`."""

    def gone(mark: re.Match[str]) -> str:
        if found is not None:
            found[mark[0]] += 1
        return " "

    return MARK.sub(gone, SAID.sub(r"\1", text)) if any(sign in text for sign in "<[{+") else text


def kept(text: str) -> list[str]:
    """Words in round brackets that are names of noises, and learned as they stand."""
    return ROUND.findall(text.lower())
