"""What is wrong with a recording, though its file can be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from autoft.contracts import Array
else:
    Array = Any

SILENT: Final = 0.001
"""Loudest sample below which nothing is heard: 60 dB below full scale."""
FULL: Final = 0.99
"""From here on a sample is at full scale: 127 of 128, in recordings of 8 bits."""
CANCELLED: Final = 0.03
"""Of the loudest channel, what is left of the mean of all: 30 dB below it, channels are in antiphase."""
RUN: Final = 3
"""So many samples at full scale in a row are a top that is cut off."""
CLIPPED: Final = 0.001
"""Share of the samples in such runs from which on a recording counts as clipped."""
MISSING: Final = 0.01
"""Share of what a header promises that may be missing: encoders round."""
UNKNOWN: Final = 0x7FFF0000
"""Sizes from here on are written by programs that did not know the size."""


class Flaw(NamedTuple):
    """One thing wrong with a recording that can be used."""

    kind: str
    """silent, clipped, cancelling or not_finite: a word of `Issue.kind`."""
    detail: str


def flaws(values: Array) -> tuple[Flaw, ...]:
    """What can be heard to be wrong.

    Args:
        values: (samples, channels), full scale from -1 to 1; numbers that are not finite are heard as 0.
    """
    strange = float(1 - np.isfinite(values).mean())
    if not strange:
        return _heard(values)
    found = _heard(np.nan_to_num(values, posinf=0.0, neginf=0.0))
    return Flaw("not_finite", f"{strange:.1%} of its samples are no numbers"), *found


def mixed(values: Array) -> Array:
    """The mean of the channels (samples, channels); where these cancel one another, the loudest of them."""
    mono = np.asarray(values.mean(1))
    return np.asarray(values[:, _power(values).argmax()]) if _cancel(values, mono) else mono


def _cancel(values: Array, mono: Array) -> bool:
    return values.shape[1] > 1 and float(np.square(mono).mean()) < CANCELLED**2 * float(_power(values).max())


def _power(values: Array) -> Array:
    return np.asarray(np.square(values).mean(0))


def _heard(values: Array) -> tuple[Flaw, ...]:
    peak = float(np.abs(values).max(initial=0.0))
    if peak < SILENT:
        loudest = f"its loudest sample is at {20 * np.log10(peak):.0f} dB" if peak else "all of its samples are 0"
        return (Flaw("silent", loudest),)
    if _cancel(values, values.mean(1)):
        return (Flaw("cancelling", "its channels cancel one another: the loudest of them is heard"),)
    share = max(_at_full_scale(channel) for channel in values.T)
    return (Flaw("clipped", f"{share:.1%} of its samples are at full scale"),) if share > CLIPPED else ()


def _at_full_scale(channel: Array) -> float:
    """Share of the samples that stand in runs at full scale of one sign."""
    sides = (channel >= FULL).astype(np.int8) - (channel <= -FULL).astype(np.int8)
    if not sides.any():
        return 0.0
    starts = np.flatnonzero(np.diff(sides, prepend=np.int8(2)))
    lengths = np.diff(starts, append=len(sides))
    return float(lengths[(sides[starts] != 0) & (lengths >= RUN)].sum() / len(sides))


def cut_off(data: bytes) -> str:
    """How much a WAV or AIFF file lacks of what its header promises, in words; empty where it is whole or cannot be
    told. Readers of sound take what is there without a word."""
    little = data[:4] in (b"RIFF", b"RF64")
    if not little and data[:4] != b"FORM":
        return ""
    name = b"data" if little else b"SSND"
    place = 12
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little" if little else "big")
        if data[place : place + 4] == name:
            return lacking(size, len(data) - place - 8) if size < UNKNOWN else ""
        place += 8 + size + size % 2
    return ""


def lacking(promised: int, there: int) -> str:
    """In words, if more is missing than encoders round."""
    if promised - there <= MISSING * promised:
        return ""
    return f"{1 - there / promised:.0%} of what its header promises is missing"
