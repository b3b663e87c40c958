"""How a recording sounds, in a few numbers: statistics of its cepstral coefficients (Davis & Mermelstein, 1980).

Nothing is learned in them, so there is nothing to overfit: of few recordings they tell voices and moods apart better
than a small network does.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autoft.data.audio import mel_filters

if TYPE_CHECKING:
    from autoft.contracts import Array
else:
    Array = Any

VERSION: Final = 1
"""Raise it when the same recording would give other numbers: heads that learned the old ones would be lost."""
WINDOW, HOP, BANDS = 512, 160, 40
"""Samples of a frame and from one to the next, and mel bands of which coefficients are made."""
KEPT: Final = 20
"""Coefficients."""
QUIET: Final = 10.0
"""How far below the loudest frame, in natural logarithms of energy, a frame says nothing of the voice."""
FLOOR: Final = 1e-8
"""Energy of silence."""
PERCENTILES: Final = (10, 50, 90)
PARTS: Final = 3
"""Stretches of time, one after the other, whose means are told apart."""
WIDTH: Final = KEPT * (8 + PARTS) + 1
"""Numbers of a recording."""


def statistics(wave: Array) -> Array:
    """float32 (`WIDTH`,) of int16 samples at `audio.RATE`, at least one.

    Over the frames that are not quiet: mean, deviation and percentiles of each coefficient. Over all: mean and
    deviation of its differences, deviation of theirs, its mean in each part, and how many frames there are.
    """
    frames, energies = _cepstra(wave)
    loud = frames[energies > energies.max() - QUIET]
    first = _differences(frames)
    numbers = [
        loud.mean(0),
        loud.std(0),
        *np.percentile(loud, PERCENTILES, axis=0),
        first.mean(0),
        first.std(0),
        _differences(first).std(0),
        *(part.mean(0) if len(part) else frames.mean(0) for part in np.array_split(frames, PARTS)),
        [np.log(len(frames))],
    ]
    return np.concatenate(numbers).astype(np.float32)


@functools.cache
def usual() -> tuple[Array, Array]:
    """What is subtracted from the numbers, and what they are then divided by, float32 (`WIDTH`,) each, so that a head
    learns by steps of the usual size. Rules of thumb for speech: coefficient k falls as 1 / k, nearly.

    Solutions of heads scale features themselves.
    """
    size = 10.0 / (1 + np.arange(KEPT)) ** 0.9
    level = np.zeros(KEPT)
    level[:2] = -30.0, 18.0  # speech is not as loud as can be, and has more of low bands
    levels, spreads = (level, size), (size, size / 3)
    drift = (np.zeros(KEPT), size / 30)
    groups = [levels, spreads, *[levels] * len(PERCENTILES), drift, spreads, spreads, *[levels] * PARTS]
    middle, width = (np.concatenate(each) for each in zip(*groups, strict=True))
    frames = np.log(100.0 * 2)
    return np.append(middle, frames).astype(np.float32), np.append(width, 1.0).astype(np.float32)


def _cepstra(wave: Array) -> tuple[Array, Array]:
    """Coefficients (frames, `KEPT`) and the mean logarithm of the bands' energies (frames,)."""
    samples = np.zeros(max(WINDOW, len(wave)), np.float32)
    samples[: len(wave)] = wave / np.float32(32768)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(pieces * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    bands = np.log(power @ mel_filters(WINDOW, BANDS).T + FLOOR)
    return bands @ _cosines().T, bands.mean(1)


@functools.cache
def _cosines() -> Array:
    """(`KEPT`, `BANDS`): the first rows of the orthonormal discrete cosine transform."""
    rows = np.cos(np.pi / BANDS * np.arange(KEPT)[:, None] * (np.arange(BANDS)[None] + 0.5)) * np.sqrt(2 / BANDS)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows)


def _differences(frames: Array) -> Array:
    """From each row to the next; of a single one, none."""
    return np.diff(frames, axis=0) if len(frames) > 1 else np.zeros_like(frames)
