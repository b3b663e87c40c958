"""How sure a network is of a transcript: which frames say which character on the likeliest path that says them all."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

NEVER = -1e30
"""Stands for the logarithm of 0."""


def sure(logs: Array, said: Array) -> Array:
    """float32 (n,): the mean over characters of the chance in the frame that says each best, 1 where there are none.

    Args:
        logs: natural logarithms of chances (n, frames, classes), class 0 is the blank.
        said: classes of transcripts (n, longest), then 0.
    """
    rows, longest = said.shape
    labels = np.zeros((rows, 2 * longest + 1), np.int64)  # a blank before, between and behind
    labels[:, 1::2] = said
    skips = np.zeros(labels.shape, bool)  # from a character to the next, unless it is the same
    skips[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    count = (said > 0).sum(1)
    ends = 2 * count
    row, steps = np.arange(rows), list[Array]()
    best = np.full(labels.shape, NEVER, np.float32)
    best[:, 0] = 0
    for frame in range(logs.shape[1]):
        one, two = np.full_like(best, NEVER), np.full_like(best, NEVER)
        one[:, 1:] = best[:, :-1]
        two[:, 2:] = np.where(skips[:, 2:], best[:, :-2], NEVER)
        ways = np.stack([best, one, two])
        steps.append(ways.argmax(0).astype(np.int8))
        best = ways.max(0) + logs[row[:, None], frame, labels]
    place = np.where((ends > 0) & (best[row, ends - 1] > best[row, ends]), ends - 1, ends)
    found = np.full(said.shape, NEVER, np.float32)
    for frame in range(logs.shape[1] - 1, -1, -1):
        spoken = np.flatnonzero(place % 2)
        letter = place[spoken] // 2
        heard = logs[spoken, frame, labels[spoken, place[spoken]]]
        found[spoken, letter] = np.maximum(found[spoken, letter], heard)
        place = place - steps[frame][row, place]
    total = np.where(said > 0, np.exp(found), 0).sum(1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), 1), np.float32)
