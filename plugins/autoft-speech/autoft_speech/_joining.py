"""Transcripts of the consecutive parts of a long recording, as one."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def joined(
    index: Array, confidence: Array, parts: Array, sure: Array, owners: Array, space: int
) -> tuple[Array, Array]:
    """Rows of classes, 0 behind each transcript, and their confidence; those of samples in parts are what these say.

    Args:
        index, confidence: of all samples.
        parts, sure: of the parts, in order.
        owners: the row of `index` that each part belongs to.
        space: its class, which stands between two parts that say something; 0 where there is none.
    """
    rows = [row[row > 0] for row in index]
    confidence = np.array(confidence)
    for owner in np.unique(owners).tolist():
        own = np.flatnonzero(owners == owner)
        said = [_trimmed(parts[part], space) for part in own]
        counts = np.array([len(text) for text in said])
        spoken = [text for text in said if len(text)]
        between = [np.array([space], index.dtype)] if space else []
        pieces = [piece for text in spoken for piece in (*between, text)][len(between) :]
        rows[owner] = np.concatenate(pieces) if pieces else np.zeros(0, index.dtype)
        confidence[owner] = np.average(sure[own], weights=counts) if counts.any() else 1.0
    width = max([index.shape[1], *map(len, rows)])
    found = np.zeros((len(rows), width), index.dtype)
    for number, row in enumerate(rows):
        found[number, : len(row)] = row
    return found, confidence


def _trimmed(row: Array, space: int) -> Array:
    """What a part says, without spaces at its ends."""
    text = row[row > 0]
    words = np.flatnonzero(text != space)
    return text[words[0] : words[-1] + 1] if len(words) else text[:0]
