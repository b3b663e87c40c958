"""What is wrong with the data, counted by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from autoft.data.checks import SHOWN, TELLING, WORDS, printable
from autoft.records import Issue
from autoft.report.words import line, listed

OTHERS: Final = ("not_audio", "not_an_image", "not_text")
"""What lies among samples and is none, such as a readme."""


def by_kind(found: Iterable[Issue]) -> dict[tuple[str, bool], list[Issue]]:
    """Issues by kind and whether they drop the sample, the most frequent kind first."""
    kinds: dict[tuple[str, bool], list[Issue]] = defaultdict(list)
    for issue in found:
        kinds[issue.kind, issue.drops].append(issue)
    return dict(sorted(kinds.items(), key=lambda item: -len(item[1])))


def summarised(found: Iterable[Issue]) -> Iterator[str]:
    """`3 corrupt (left out): a.png, b.png, c.png`."""
    for (kind, drops), issues in by_kind(found).items():
        first = f" ({line(issues[0].detail)})" if issues[0].detail and (len(issues) == 1 or kind in TELLING) else ""
        names = [printable(issue.subject) for issue in issues[:SHOWN]]
        names = [f"{names[0]}{first}", *names[1:], *("" for _ in issues[SHOWN:])]
        yield f"{len(issues):,} {title(kind, drops)}: {listed(names, most=SHOWN)}"


def title(kind: str, drops: bool) -> str:
    """`not an image (left out)`; of a box that is left out, the image stays."""
    fate = "left out" if drops else "image kept" if kind.startswith("box") else "not used" if _unused(kind) else "kept"
    return f"{line(kind).replace('_', ' ')} ({fate})"


def _unused(kind: str) -> bool:
    return kind in OTHERS or "not used" in WORDS.get(kind, ("",))[0]
