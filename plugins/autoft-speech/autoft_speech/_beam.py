"""Prefix beam search (Graves et al., 2006), by fast-ctc-decode where it is installed (the extra `beam`).

Greedy decoding reads the likeliest path; a transcript is said by many paths, and a beam adds them up.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from autoft.api import UsageError

Array = np.ndarray[Any, np.dtype[Any]]

WIDTH = 12
"""Transcripts that are followed at a time."""
CUT = 1e-3
"""Chance below which a character of a frame is left out."""
SURE = 1 - 1e-6
"""Chance of the blank from which on a frame at the end says nothing."""
FIRST = 0xF0000
"""Code point that stands for class 0 (a private plane): the library knows classes by characters."""


def available() -> bool:
    return find_spec("fast_ctc_decode") is not None


def search(chances: Array) -> tuple[Array, Array]:
    """The likeliest transcripts: `index` int64 (n, frames), classes, then 0; `confidence` float32 (n,), the mean over
    its characters of their chance in the frame that says them, 1 where there are none.

    Args:
        chances: (n, frames, classes), class 0 is the blank.

    Raises:
        UsageError: the library is not installed.
    """
    try:
        from fast_ctc_decode import beam_search
    except ImportError as error:
        raise UsageError(
            f"this model was chosen with a beam of {WIDTH}, which needs fast-ctc-decode, but that cannot be imported: "
            f"{error}.",
            "pip install 'autoft-speech[beam]'",
        ) from error
    count, frames, classes = chances.shape
    letters = [chr(FIRST + number) for number in range(classes)]
    index, confidence = np.zeros((count, frames), np.int64), np.ones(count, np.float32)
    for number, row in enumerate(chances):
        said = np.flatnonzero(row[:, 0] < SURE)
        if not len(said):
            continue
        heard = np.ascontiguousarray(row[: said[-1] + 1], np.float32)
        text, places = beam_search(heard, letters, beam_size=WIDTH, beam_cut_threshold=min(CUT, 0.5 / classes))
        found = [ord(letter) - FIRST for letter in text]
        index[number, : len(found)] = found
        if found:
            confidence[number] = heard[np.asarray(places), found].mean()
    return index, confidence
