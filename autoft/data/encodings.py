"""Which encoding the bytes of a text are in: told by their marks, by being UTF-8, else guessed, and said to be."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from autoft.errors import UsageError
from autoft.records import Issue

MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
WIDE: Final = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
"""Without a mark told by their zero bytes: line ends and spaces have some in any language."""
CONTROL: Final = re.compile(rb"[\x01-\x08\x0e-\x1f]")
HEAD: Final = 1 << 16
"""Bytes that are looked at for that."""
ESCAPES: Final = (b"\x1b$B", b"\x1b$@")
"""Where these stand in ASCII, it is Japanese mail."""
ASKED: Final = 200
"""Files of many that are looked at one by one."""
SOUND: Final = 20
"""So many characters beyond ASCII must be right UTF-8 for each byte that is not, for the text to count as UTF-8."""


class Decoded(NamedTuple):
    """A text and how it was written."""

    text: str
    encoding: str
    damaged: int = 0
    """Places that are wrong in this encoding; U+FFFD stands there."""
    guessed: bool = False
    """Neither a mark nor UTF-8 nor the user told it."""

    def described(self) -> str:
        """`utf-8`, or `cp1251, guessed, damaged in 3 places`."""
        places = f", damaged in {self.damaged} place{'s' if self.damaged > 1 else ''}" if self.damaged else ""
        return f"{self.encoding}{', guessed' if self.guessed else ''}{places}"

    def issues(self, subject: str) -> tuple[Issue, ...]:
        """That it was guessed, if it was."""
        detail = f"{self.encoding}; --encoding names another"
        return (Issue(kind="guessed_encoding", subject=subject, detail=detail, drops=False),) if self.guessed else ()


def decode(raw: bytes, asked: str = "", likely: str = "") -> Decoded:
    """The text by its byte order mark; else as UTF-8, if need be with some damage; else as the encoding whose letters
    it has.

    Args:
        asked: an encoding that the user names, for texts that have no mark and are not UTF-8.
        likely: that of other files of the same data.
    """
    plain = told(raw, asked)
    return plain or _in(raw, _guess(raw, likely))


def told(raw: bytes, asked: str = "") -> Decoded | None:
    """The same, where nothing of it must be guessed by letters."""
    plain = _told(raw, asked)
    if plain or not asked:
        return plain or _mended(raw)
    text = raw.decode(asked, "replace")
    return Decoded(text, asked, text.count("\ufffd"))


def together(raws: Sequence[bytes]) -> list[Decoded]:
    """Texts of the same data, of which none is `told`: each may be short, so they are looked at together first. What
    takes it for sure that it is in another encoding than most is read in that. Of very many, some are asked this, and
    all if one of them is."""
    if not raws:
        return []
    from autoft.data import codepages  # where all is UTF-8 nobody needs its tables

    likely = codepages.guess(codepages.sample(raws))
    probe = [codepages.guess(raw, likely) for raw in raws[:: -(-len(raws) // ASKED)]]
    if {*probe} == {likely}:
        found = [_in(raw, likely) for raw in raws]
        return [_in(raw, codepages.guess(raw, likely)) if one.damaged else one
                for raw, one in zip(raws, found, strict=True)]  # fmt: skip
    names = probe if len(probe) == len(raws) else [codepages.guess(raw, likely) for raw in raws]
    return [_in(raw, name) for raw, name in zip(raws, names, strict=True)]


def _guess(raw: bytes, likely: str) -> str:
    from autoft.data import codepages  # where all is UTF-8 nobody needs its tables

    return codepages.guess(raw, likely)


def _in(raw: bytes, name: str) -> Decoded:
    """The text in an encoding that was guessed."""
    from autoft.data import codepages  # where all is UTF-8 nobody needs its tables

    text = raw.decode(name, "replace")
    if name == "cp1252" and ("\ufffd" in text or not any(0x80 <= byte < 0xA0 for byte in set(raw))):
        return Decoded(raw.decode("latin-1"), "latin-1", guessed=True)
    return Decoded(text, codepages.NAMES.get(name, name), text.count("\ufffd"), guessed=True)


def named(name: str) -> str:
    """The encoding that the user names, as Python calls it.

    Raises:
        UsageError: there is none of that name.
    """
    if not name:
        return ""
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--encoding must be an encoding of texts, but '{name}' is none.",
            "Such as cp1251, koi8-r, cp1250, gb18030, big5, shift_jis, euc-kr, utf-16-le.",
        ) from error


def is_binary(raw: bytes) -> bool:
    """Whether zero bytes stand in it that no encoding explains."""
    return b"\0" in raw and not raw.startswith(tuple(mark for mark, _ in MARKS)) and not _wide(raw)


def _told(raw: bytes, asked: str = "") -> Decoded | None:
    """The text, where a mark, zero bytes or escapes say what it is in, or where all of it is UTF-8."""
    marked = next((encoding for mark, encoding in MARKS if raw.startswith(mark)), "")
    wide = "" if marked else asked if asked.startswith(("utf-16", "utf-32")) else _wide(raw)
    mail = "iso2022_jp" if raw.isascii() and any(mark in raw for mark in ESCAPES) else ""
    for encoding in (marked, wide, mail, "utf-8"):
        if encoding:
            try:
                return Decoded(raw.decode(encoding), encoding, guessed=encoding in (wide, mail) and not asked)
            except UnicodeDecodeError:
                continue
    return None


def _wide(raw: bytes) -> str:
    """UTF-16 or UTF-32 that has no mark; empty where it is neither: where zero bytes stand, and all is characters that
    are known. In the wrong order of bytes these are none, or fewer of them are ASCII."""
    rest = raw[:HEAD].replace(b"\0", b"")
    zeros = min(len(raw), HEAD) - len(rest)
    if not zeros or (4 * zeros < len(rest) and rest.isascii() and not CONTROL.search(rest)):
        return ""  # ASCII with a stray zero byte
    found: dict[str, int] = {}
    for encoding in WIDE:
        width = 4 if "32" in encoding else 2
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(raw[:HEAD]) if len(raw) % width == 0 else ""
        except UnicodeDecodeError:
            continue
        if text and all(one.isprintable() or one.isspace() for one in {*text} - {"\u200b", "\u200d", "\ufe0f"}):
            found[encoding] = sum(one < "\x80" for one in text)
    return max(found, key=lambda encoding: found[encoding], default="")


def _mended(raw: bytes) -> Decoded | None:
    """UTF-8 with few bad bytes: one broken character must not turn all others into nonsense."""
    text = raw.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    right = sum(letter > "\x7f" for letter in text) - bad
    return Decoded(text, "utf-8", bad) if right >= SOUND * bad else None
