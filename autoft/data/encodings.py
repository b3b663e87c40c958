"""Which encoding the bytes of a text are in: told by their marks and by what decodes, without a library."""

from __future__ import annotations

from typing import Final, NamedTuple

MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
CHINESE: Final = 0.8
"""Share of the pairs of bytes in GB 18030 text that are common Chinese characters or full-width signs."""
SOUND: Final = 20
"""So many characters beyond ASCII must be right UTF-8 for each byte that is not, for the text to count as UTF-8."""


class Decoded(NamedTuple):
    """A text and how it was written."""

    text: str
    encoding: str
    damaged: int = 0
    """Places that are wrong in this encoding; U+FFFD stands there."""

    def described(self) -> str:
        """`utf-8`, or `utf-8, damaged in 3 places`."""
        places = f"{self.damaged} place{'s' if self.damaged > 1 else ''}"
        return f"{self.encoding}, damaged in {places}" if self.damaged else self.encoding


def decode(raw: bytes) -> Decoded:
    """The text by its byte order mark; else as UTF-8, if need be with some damage; else as GB 18030 where it looks like
    common Chinese; else as Windows-1252 or Latin-1, which takes any byte."""
    marked = next((encoding for mark, encoding in MARKS if raw.startswith(mark)), "")
    for encoding in (marked, "utf-8"):
        if encoding:
            try:
                return Decoded(raw.decode(encoding), encoding)
            except UnicodeDecodeError:
                continue
    mended = _mended(raw)
    if mended:
        return mended
    if _is_chinese(raw):
        return Decoded(raw.decode("gb18030"), "gb18030")
    if any(0x80 <= byte < 0xA0 for byte in set(raw)):  # control characters in Latin-1, quotes and dashes here
        try:
            return Decoded(raw.decode("cp1252"), "cp1252")
        except UnicodeDecodeError:
            pass
    return Decoded(raw.decode("latin-1"), "latin-1")


def _mended(raw: bytes) -> Decoded | None:
    """UTF-8 with few bad bytes: one broken character must not turn all others into nonsense."""
    text = raw.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    right = sum(letter > "\x7f" for letter in text) - bad
    return Decoded(text, "utf-8", bad) if right >= SOUND * bad else None


def _is_chinese(raw: bytes) -> bool:
    """Whether most pairs of bytes are characters of level 1 in GB 2312, or full-width signs. Accented letters of Latin
    scripts are seldom followed by another one, and most of them are bytes above level 1."""
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    pairs = common = place = 0
    while place < len(raw):
        lead = raw[place]
        if lead < 0x80:
            place += 1
            continue
        trail = raw[place + 1] if place + 1 < len(raw) else 0
        pairs += 1
        common += trail >= 0xA1 and (0xB0 <= lead <= 0xD7 or 0xA1 <= lead <= 0xA3)
        place += 2
    return bool(pairs) and common >= CHINESE * pairs
