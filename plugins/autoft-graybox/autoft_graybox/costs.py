"""What an epoch of each configuration costs: the prior of past runs, corrected by what this search has measured."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

import numpy as np

from autoft_graybox.curve import Array
from autoft_graybox.features import Known

TRUST: Final = 2.0
"""A network's own offset counts fully once clearly more than this many of its configurations have run."""


def seconds_per_epoch(known: Known, measured: Sequence[Sequence[float]]) -> Array:
    """(n,) expected seconds of the next epoch; all 1 while nothing was measured.

    The prior is right up to a factor (the machine, the data), which the median of what was measured gives; past
    that, configurations of one network share an offset, shrunk by how few of them ran.
    """
    own = np.array([max(median(seconds), 1e-6) if len(seconds) else np.nan for seconds in measured])
    seen = np.isfinite(own)
    if not seen.any():
        return np.ones(len(own))
    offset = np.where(seen, np.log(np.where(seen, own, 1.0)) - known.log_seconds, 0.0)
    factor = float(np.median(offset[seen]))
    left = np.where(seen, offset - factor, 0.0)
    same, near = known.alike[0], known.alike[2]
    votes = same + near  # near ones of the same network say more
    shared = (votes @ left) / (votes @ seen.astype(float) + TRUST)
    expected: Array = np.where(seen, own, np.exp(known.log_seconds + factor + shared))
    return expected
