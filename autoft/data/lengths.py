"""How long texts are, for what is worth leaving out of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from autoft.data.forms import texts_of
from autoft.records import Sample
from autoft.texthash import length

SHORT: Final = 64
"""Words: there is nothing to be saved by reading less than these."""
SHARES: Final = (0.5, 0.9)
"""Of the texts that are read whole."""
LOOKED_AT: Final = 2000
"""Samples at most, spread over all."""
STEP: Final = 8
"""Lengths are multiples of this."""


def worth_cutting(samples: Sequence[Sample], locked: Collection[str] = ()) -> tuple[int, ...]:
    """Numbers of words at which half of the texts and a tenth of them would be cut, ascending; none where texts are
    short.

    Args:
        locked: ids of samples that are not looked at.
    """
    seen = [sample for sample in samples if "text" in sample.fields and sample.id not in locked]
    lengths = [length(text) for sample in seen[:: -(-len(seen) // LOOKED_AT) or 1] for text in texts_of(sample)]
    if not lengths:
        return ()
    ends = {-(-int(end) // STEP) * STEP for end in np.quantile(lengths, SHARES)}
    return tuple(sorted(end for end in ends if SHORT <= end < max(lengths)))
