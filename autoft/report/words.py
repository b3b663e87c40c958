"""Numbers, durations and user text as they stand on the screen."""

from __future__ import annotations

import math
from typing import Any

DASH = "–"


def clean(text: str) -> str:
    """`text` without control characters (a file name may hold escape codes), which are shown as backslash codes."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in printable(text)
    )


def printable(text: str) -> str:
    """`text` with bytes that are not valid UTF-8 (surrogates in file names) shown as backslash codes."""
    return text.encode("utf-8", "backslashreplace").decode()


def line(text: str) -> str:
    """`clean`, on one line."""
    return " ".join(clean(text).split())


def score(value: float | None, percent: bool = False) -> str:
    """`97.2%` or `0.9721`; a dash where there is no number."""
    if value is None or math.isnan(value):
        return DASH
    return f"{100 * value:.1f}%" if percent else f"{value:.4f}"


def gain(value: float | None, percent: bool = False) -> str:
    """`+2.1 points` or `+0.0210`."""
    if value is None or math.isnan(value):
        return DASH
    return f"{100 * value:+.1f} points" if percent else f"{value:+.4f}"


def value(what: Any) -> str:
    """A parameter's value: short numbers, `on` and `off`."""
    if isinstance(what, bool):
        return "on" if what else "off"
    if isinstance(what, float):
        return _number(what)
    return DASH if what is None else str(what)


def _number(what: float) -> str:
    if math.isnan(what):
        return DASH
    if what != 0 and (abs(what) < 0.001 or abs(what) >= 1e6):
        digits, _, power = f"{what:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(power)}"
    return f"{what:.3g}" if abs(what) < 1000 else f"{what:.0f}"


def duration(seconds: float) -> str:
    """`45s`, `10m`, `1m30s`, `2h`, `1h05m`: what `autoft.options.seconds` reads back."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes:02d}m" if minutes else f"{hours}h"
    if minutes:
        return f"{minutes}m{left:02d}s" if left else f"{minutes}m"
    return f"{seconds:.1f}s" if 0 < seconds < 10 and seconds != whole else f"{left}s"


def clock(seconds: float) -> str:
    """`0:45`, `12:05`, `1:02:03`: a countdown whose width does not jump."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `1,204 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int) -> str:
    """A number of parameters: `1.3M`, `25k`."""
    for bound, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= bound:
            return f"{number / bound:.3g}{unit}"
    return str(number) if number else DASH


def bytes_(number: float) -> str:
    """A number of bytes: `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def scored_at(side: int) -> str:
    """How fine the masks are that scores are measured on."""
    return f"masks are scored at {side} x {side} pixels"


def trial(name: str, division: int) -> str:
    """A trial's name, with what sets it apart from the others of its table."""
    return name + (" (baseline)" if name == "t0000" else "") + (" (again)" if division > 0 else "")


ELSEWHERE = (
    "(again): a configuration that ran once more, with another seed and on other validation samples than the rest"
)


def listed(names: list[str] | tuple[str, ...], most: int = 10) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(line(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
