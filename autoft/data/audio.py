"""From a recording to samples and to a picture of them: the one decoder for search, evaluation and prediction."""

from __future__ import annotations

import functools
import math
import os
from io import BytesIO
from math import gcd
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from autoft.data import images, recordings
from autoft.data.images import BadSample
from autoft.data.pieces import WHOLE, Span
from autoft.errors import UsageError

if TYPE_CHECKING:
    from autoft.contracts import Array

RATE: Final = 16_000
"""Samples per second that networks take."""
DECODER: Final = "3 soundfile"
"""Part of every store's key. Raise the number when the same file would give other samples."""
FLOOR: Final = -80.0
"""Decibels below the loudest place of a picture that count as black."""
LONGER: Final = 1.1
"""Times what is heard at once, from which on a recording is heard in several parts."""
LOWEST, HIGHEST = 20.0, 7600.0
"""Hertz that the mel bands reach from and to."""


class Facts(NamedTuple):
    """What the header of a recording says."""

    seconds: float
    rate: int
    channels: int


def header(data: bytes) -> Facts:
    """Duration, rate and channels from the header alone.

    Raises:
        BadSample: empty, not_audio, or cut_off where the header promises more than the file has.
    """
    with _opened(data) as file:
        if not file.frames:
            raise BadSample("empty", "no samples")
        if lacks := recordings.cut_off(data):
            raise BadSample("cut_off", lacks)
        return Facts(file.frames / file.samplerate, file.samplerate, file.channels)


class Decoded(NamedTuple):
    """A recording as networks take it."""

    wave: Array
    """int16 (n,) at `RATE`."""
    flaws: tuple[recordings.Flaw, ...]
    """What is wrong with it, though it can be used."""


def length(path: str) -> float:
    """Seconds of a file by its header.

    Raises:
        BadSample: missing or not_audio.
    """
    with _file(path) as file:
        return float(file.frames / file.samplerate)


def decode(source: images.Source, seconds: float, start: float = 0.0, span: Span = WHOLE) -> Decoded:
    """The samples of a piece, channels mixed to one, at most `seconds` of them from the second `start` of it on (0
    takes all).

    Raises:
        BadSample: missing, unreadable, empty, cut_off or not_audio.
    """
    with opened(source, span) as file:
        rate = file.samplerate
        first, frames = span.frames(file.frames, rate)
        first, frames = first + round(start * rate), frames - round(start * rate)
        most = frames if seconds <= 0 else min(frames, round(seconds * rate) + 1)
        try:
            if first:
                file.seek(first)
            values = file.read(max(0, most), dtype="float32", always_2d=True)
        except _library().LibsndfileError as error:
            raise BadSample("cut_off", f"it cannot be decoded to its end: {error}"[:200]) from error
    if not len(values):
        raise BadSample("empty", "no samples")
    if lacks := recordings.lacking(most, len(values)):
        raise BadSample("cut_off", lacks)
    return Decoded(_at_rate(values, rate, seconds), recordings.flaws(values))


def further(source: images.Source, seconds: float, most: int, span: Span = WHOLE) -> list[Array]:
    """Samples of a longer recording or piece behind those that `decode` gives: parts of `seconds`, int16 at `RATE`.

    With the first one they are at most `most`, spread evenly from its beginning to its end; none where the recording is
    hardly longer than `seconds`.

    Raises:
        BadSample: as `decode`.
    """
    found = []
    with opened(source, span) as file:
        rate = file.samplerate
        first, frames = span.frames(file.frames, rate)
        for start in starts(frames / rate, seconds, most)[1:]:
            begin = round(start * rate)
            wave = read(file, first + begin, min(frames - begin, round(seconds * rate) + 1), seconds)
            if not len(wave):
                raise BadSample("cut_off", f"nothing can be decoded from second {start:.1f} on")
            found.append(wave)
    return found


def opened(source: images.Source, span: Span = WHOLE) -> Any:
    """An open `soundfile.SoundFile`. Of a piece, the rest of the file is not read: it may be hours long.

    Raises:
        BadSample: as `decode`.
    """
    if span.end and not isinstance(source, bytes):
        return _file(os.fspath(source))
    return _opened(source if isinstance(source, bytes) else images.read(source))


def read(file: Any, start: int, frames: int, seconds: float) -> Array:
    """Samples of an open recording from this frame on, int16 at `RATE`, at most `seconds` of them.

    Raises:
        BadSample: cut_off.
    """
    try:
        file.seek(start)
        values = file.read(frames, dtype="float32", always_2d=True)
    except _library().LibsndfileError as error:
        raise BadSample("cut_off", f"it cannot be decoded to its end: {error}"[:200]) from error
    return _at_rate(values, file.samplerate, seconds)


def starts(total: float, seconds: float, most: int) -> list[float]:
    """Seconds at which parts begin that cover a recording of `total` seconds, or as much of it as `most` parts can."""
    if seconds <= 0 or total < LONGER * seconds:
        return [0.0]
    count = max(1, min(most, math.ceil(total / seconds)))
    return [(total - seconds) * place / max(1, count - 1) for place in range(count)]


def _at_rate(values: Array, rate: int, seconds: float) -> Array:
    mono = recordings.mixed(np.nan_to_num(values, posinf=0.0, neginf=0.0))
    if rate != RATE:
        from scipy.signal import resample_poly

        shared = gcd(rate, RATE)
        mono = resample_poly(mono, RATE // shared, rate // shared)
    whole = np.clip(np.rint(mono * 32768.0), -32768, 32767).astype(np.int16)
    return np.asarray(whole if seconds <= 0 else whole[: max(1, round(seconds * RATE))])


def picture(wave: Array, size: int, seconds: float) -> Array:
    """The log-mel spectrogram of int16 samples as uint8 (size, size, 3): time to the right, over `seconds`, low bands
    below. Each recording is scaled by its own loudest place; silence behind its end is black.
    """
    whole = np.zeros(max(1, round(seconds * RATE)) if seconds > 0 else len(wave), np.float32)
    whole[: len(wave)] = wave[: len(whole)] / 32768.0
    window = 512 if size <= 64 else 1024
    hop = max(1.0, len(whole) / size)
    starts = np.rint(np.arange(size) * hop).astype(np.int64)
    padded = np.pad(whole, (window // 2, window))
    # Where frames stand far apart, the power between them counts as well: as many windows as cover the hop.
    parts = max(1, round(hop / (window // 2)))
    offsets = np.rint(np.arange(parts) * hop / parts).astype(np.int64)
    places = np.minimum(starts[:, None] + offsets[None], len(padded) - window)
    frames = padded[places[..., None] + np.arange(window)] * np.hanning(window).astype(np.float32)
    power = (np.abs(np.fft.rfft(frames, axis=-1)) ** 2).mean(1)
    bands = power @ mel_filters(window, size).T
    decibels = 10 * np.log10(np.maximum(bands, 1e-10))
    scaled = np.clip((decibels - decibels.max()) / -FLOOR + 1, 0, 1)
    grey = np.rint(scaled.T[::-1] * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


@functools.lru_cache(maxsize=8)
def mel_filters(window: int, bands: int) -> Array:
    """Triangles on the mel scale (O'Shaughnessy, 1987): float32 (bands, window // 2 + 1), each with the sum 1."""
    frequencies = np.fft.rfftfreq(window, 1 / RATE)
    edges = _hertz(np.linspace(_mel(LOWEST), _mel(HIGHEST), bands + 2))
    # Bands narrower than a bin would be empty: none is narrower than what the window tells apart.
    width = RATE / window
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    low, high = np.minimum(low, centre - width), np.maximum(high, centre + width)
    rising = (frequencies[None] - low[:, None]) / (centre - low)[:, None]
    falling = (high[:, None] - frequencies[None]) / (high - centre)[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(1, keepdims=True), np.float32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: Array) -> Array:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def _file(path: str) -> Any:
    library = _library()
    try:
        return library.SoundFile(path)
    except library.LibsndfileError as error:
        kind = "not_audio" if os.path.isfile(path) else "missing"
        raise BadSample(kind, str(error).split(">: ")[-1][:200]) from error


def _opened(data: bytes) -> Any:
    if not data:
        raise BadSample("empty", "0 bytes")
    library = _library()
    try:
        return library.SoundFile(BytesIO(data))
    except library.LibsndfileError as error:
        if data[4:8] == b"ftyp":
            raise BadSample(
                "not_audio", "sound in MPEG-4 (m4a, AAC) cannot be read; convert it to WAV or FLAC"
            ) from error
        raise BadSample("not_audio", str(error).split(">: ")[-1][:200]) from error


def _library() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise UsageError(
            f"reading recordings needs soundfile, which cannot be imported: {error}.", "pip install 'autoft[audio]'"
        ) from error
    return soundfile
