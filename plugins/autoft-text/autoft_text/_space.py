"""What is searched for texts in place of the default space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from autoft.api import Param

POLICIES = ("strong", "strong", "light", "none")
"""How many words a step leaves out: small sets are learned by heart without it."""


def edits(space: Sequence[Param]) -> Iterator[Param]:
    """Params in the place of those of the default space."""
    for param in space:
        if param.key == "augment" and len(set(param.choices)) > 1:
            yield msgspec.structs.replace(param, choices=POLICIES, default=POLICIES[0])
