"""What becomes black and white in the pictures of a data set that have more than 8 bits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from autoft.data import images
from autoft.data.greys import Ends, ends_of

if TYPE_CHECKING:
    from autoft.contracts import Array
    from autoft.data.inspect import Inspection

LOOKED_AT: Final = 64
"""Pictures that are decoded to find out."""


def greys(found: Inspection, locked: Collection[str]) -> Ends | None:
    """The two values, or None where there are no such pictures or the usual range of their type suits them.

    Args:
        locked: names of samples that nothing is learned from.
    """
    paths = [str(found.dataset.samples[row].fields["image"]) for row in _deep(found, locked)]
    step = max(1, len(paths) // LOOKED_AT)
    return ends_of(_values(paths[::step][:LOOKED_AT]))


def told(found: Inspection, ends: Ends) -> str:
    """A sentence for the user."""
    deep = len(_deep(found, ()))
    black, white = (f"{end:,.0f}" if abs(end) >= 10 else f"{end:.3g}" for end in ends)
    return (
        f"{deep:,} of {len(found.dataset.samples):,} pictures have more than 8 bits and use a small part of their "
        f"range: {black} becomes black, {white} white"
    )


def _deep(found: Inspection, locked: Collection[str]) -> list[int]:
    return [row for row, deep in enumerate(found.deep) if deep and found.dataset.samples[row].id not in locked]


def _values(paths: Sequence[str]) -> Iterator[tuple[Array, bool]]:
    for path in paths:
        try:
            values = images.deep(path)
        except images.BadSample:  # whoever decodes it for the store says so
            continue
        if values:
            yield values
