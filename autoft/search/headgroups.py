"""Which trials train nothing but a head on features that are kept, and which of those go together: strategies let them
run whole, side by side (`banks.py`), since one more of their epochs costs next to nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Final

from autoft.records import Scalar
from autoft.search import banks
from autoft.search import space as spaces
from autoft.search.space import Values
from autoft.search.strategy import Facts

FEW: Final = 16
"""Heads that are not worth dividing among workers."""


def is_head(params: Mapping[str, Scalar], facts: Facts) -> bool:
    """Whether nothing but a head is trained, on features that are kept: its epochs cost next to nothing."""
    values = {**spaces.DEFAULTS, **params}
    names = [str(value) for param in facts.space if param.key == "model" for value in param.choices]
    return (
        values["freeze"] == 1.0
        and not values["mixup"]
        and not values["cutmix"]
        and (values["augment"] == "none" or bool(values["views"]))
        and (params.get("model", names[0] if names else "") in facts.featured)
    )


def divided(heads: Sequence[int], params: Mapping[int, Values], workers: int) -> Iterator[list[int]]:
    """Heads in pieces of work, those together that can train side by side."""
    groups: dict[object, list[int]] = defaultdict(list)
    for number in heads:
        alike = {key: value for key, value in params[number].items() if key not in banks.OWN}
        groups[tuple(sorted(alike.items()))].append(number)
    for group in groups.values():
        size = len(group) if len(group) <= FEW else ceil(len(group) / workers)
        yield from (group[first : first + size] for first in range(0, len(group), size))
