"""Commands in `wav.scp` that only decode one whole file: the file can be read in their place. None is ever run.

What resamples, mixes channels or writes another depth changes nothing here, as recordings are decoded to one channel of
one rate. What cuts, filters, or picks one of several channels does, so such a command stays unread.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

Options = Mapping[str, str | None]
"""Option -> the form of its value; None where it has none."""

FLAC: Options = dict.fromkeys(("-c", "-d", "-s", "-cd", "-dc", "-cds", "-csd", "--silent", "--decode", "--stdout"))
RATE = r"\d+(\.\d+)?k?"
SOX: Options = {
    "-t": r"wav|flac|sph|mp3|ogg|wavpcm",
    "-r": RATE,
    "-b": r"\d+",
    "-c": "1",
    "-e": r"signed(-integer)?",
    **dict.fromkeys(("-G", "-R", "-V0", "-V1", "-q", "-D")),
}
SPH2PIPE: Options = {"-f": "wav|rif", "-p": None}
FFMPEG: Options = {
    "-i": r".*",
    "-f": "wav",
    "-ar": RATE,
    "-ac": "1",
    "-acodec": r"pcm_\w+",
    "-c:a": r"pcm_\w+",
    "-v": r"\w+",
    "-loglevel": r"\w+",
    **dict.fromkeys(("-nostdin", "-hide_banner", "-y", "-vn")),
}
OUT = ("-", "pipe:1", "/dev/stdout")


def file_of(command: str) -> str:
    """The file that a command decodes, or an empty string where it does more, or is not known.

    Args:
        command: a line of `wav.scp`, with the bar at its end.
    """
    try:
        words = shlex.split(command.strip().removesuffix("|"))
    except ValueError:  # a quote that is never closed
        return ""
    if len(words) < 2 or any(sign in word for word in words for sign in "|;<>&$`"):
        return ""
    program = PROGRAMS.get(words[0].rpartition("/")[2])
    return program(words[1:]) if program else ""


def _plain(words: list[str], options: Options) -> list[str] | None:
    """The words that are no options; None where there is an option that is not among these."""
    rest, place = list[str](), 0
    while place < len(words):
        word = words[place]
        if word in options:
            form = options[word]
            if form is not None:
                place += 1
                if place >= len(words) or not re.fullmatch(form, words[place]):
                    return None
        elif word.startswith("-") and word not in OUT:
            return None
        else:
            rest.append(word)
        place += 1
    return rest


def _only(options: Options) -> Callable[[list[str]], str]:
    def found(words: list[str]) -> str:
        rest = _plain(words, options)
        return rest[0] if rest and len(rest) == 1 and rest[0] not in OUT else ""

    return found


def _sox(words: list[str]) -> str:
    """A file and what is written; behind it at most another rate, or all channels mixed to one."""
    rest = _plain(words, SOX)
    if not rest or len(rest) < 2 or rest[0] in OUT or rest[1] not in OUT:
        return ""
    effects = " ".join(rest[2:])
    return rest[0] if re.fullmatch(rf"(rate {RATE})?|channels 1", effects) else ""


def _ffmpeg(words: list[str]) -> str:
    rest = _plain(words, FFMPEG)
    named = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "-i"]
    return named[0] if rest and len(rest) == 1 and rest[0] in OUT and len(named) == 1 else ""


PROGRAMS: Mapping[str, Callable[[list[str]], str]] = {
    "flac": _only(FLAC),
    "cat": _only({}),
    "sph2pipe": _only(SPH2PIPE),
    "sox": _sox,
    "ffmpeg": _ffmpeg,
}
