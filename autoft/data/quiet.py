"""Long recordings in consecutive parts, each cut where it is quietest near its end, so that no word is cut in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from autoft.data import audio, images
from autoft.data.images import BadSample
from autoft.data.pieces import WHOLE, Span

if TYPE_CHECKING:
    from autoft.contracts import Array

NEAR: Final = 1 / 3
"""Of a part, at its end: where a cut may be."""
PAUSE: Final = 0.2
"""Seconds over which loudness is taken: shorter gaps are inside words."""
SLACK: Final = 0.1
"""Seconds beyond a part that are not worth a part of their own."""


def parts(source: images.Source, seconds: float, span: Span = WHOLE) -> list[Array]:
    """All samples of a recording, or of a piece of one, that is longer than `seconds`, in parts of at most so much,
    int16 at `audio.RATE`; none of one that is not.

    Raises:
        BadSample: as `audio.decode`.
    """
    found: list[Array] = []
    with audio.opened(source, span) as file:
        rate = file.samplerate
        first, frames = span.frames(file.frames, rate)
        most, start = max(1, round(seconds * rate)), 0
        if frames <= most + SLACK * rate:
            return []
        while start < frames:
            last = frames - start <= most
            wave = audio.read(file, first + start, min(most, frames - start), seconds)
            if not len(wave):
                raise BadSample("cut_off", f"nothing can be decoded from second {start / rate:.1f} on")
            kept = len(wave) if last else cut(wave)
            found.append(wave[:kept])
            start = frames if last else start + max(1, round(kept * rate / audio.RATE))
    return found


def cut(wave: Array) -> int:
    """Samples of a part that come before the middle of the quietest time near its end; the latest of several."""
    width = max(1, round(PAUSE * audio.RATE))
    first = min(round((1 - NEAR) * len(wave)), len(wave) - width)
    if first <= 0:
        return len(wave)
    power = np.concatenate([[0.0], np.cumsum(np.square(wave[first:].astype(np.float64)))])
    loudness = power[width:] - power[:-width]
    return int(first + (len(loudness) - 1 - np.argmin(loudness[::-1])) + width // 2)
