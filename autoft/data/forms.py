"""The forms in which a field of a sample reaches a network: as a picture, a waveform, words. One decoder for each, used
alike to fill the store and to predict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from autoft.data import images, masks, quiet
from autoft.data.pieces import span_of
from autoft.errors import UsageError
from autoft.records import Decoding, Sample

MASK: Final = "mask"
"""Field of the class indices that stand beside the images."""
START: Final = "start"
"""Field of the second at which a further part of a recording or of a piece begins, see `longer`."""


class File(NamedTuple):
    """One array that a form gives, and the store keeps as a file."""

    key: str
    """Under which a feed gives it."""
    dtype: str
    shape: tuple[int, ...]
    """Of one row."""

    @property
    def length(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


class Row(NamedTuple):
    """What one sample gives."""

    arrays: Sequence[Any]
    """One for each of `Form.files`."""
    remarks: Sequence[tuple[str, str]] = ()
    """What is wrong with it, though it can be used: words of `Issue.kind`, and details."""


class Form(Protocol):
    """How one field becomes arrays."""

    @property
    def files(self) -> Sequence[File]:
        """What it gives."""
        ...

    @property
    def stored(self) -> bool:
        """False for what is at hand with the samples themselves."""
        ...

    def key(self, workers: int) -> str:
        """What, beside the samples' own bytes, decides on the arrays: part of a store's key."""
        ...

    def row(self, number: int, sample: Sample) -> Row:
        """The arrays of one sample, the `number`-th of its data set.

        Raises:
            BadSample: they cannot be made.
        """
        ...


class Squares:
    """Images squashed to a square: uint8 (size, size, 3)."""

    stored = True

    def __init__(self, decoding: Decoding) -> None:
        self.size, self.greys = decoding.size, decoding.greys
        self.files = (File("image", "uint8", (self.size, self.size, 3)),)

    def key(self, workers: int) -> str:
        greys = f"|{self.greys[0]:g}|{self.greys[1]:g}" if self.greys else ""
        return f"{images.DECODER}|image|{self.size}{greys}"

    def row(self, number: int, sample: Sample) -> Row:
        return Row([images.decode(str(sample.fields["image"]), self.size, self.greys)])


class _Recordings:
    """What both forms of recordings share."""

    stored = True

    def __init__(self, decoding: Decoding) -> None:
        from autoft.data import audio

        self._audio = audio
        self.seconds, self.windows = decoding.seconds, decoding.windows

    def row(self, number: int, sample: Sample) -> Row:
        start = float(sample.fields.get(START, 0.0))
        decoded = self._audio.decode(str(sample.fields["audio"]), self.seconds, start, span_of(sample))
        return Row(self.arrays(decoded.wave), () if start else decoded.flaws)

    def further(self, sample: Sample) -> list[Sequence[Any]]:
        """The same arrays of further parts of a recording that is longer; of all of its parts, the first one too, where
        `Decoding.windows` is 0.

        Raises:
            BadSample: they cannot be made.
        """
        path, span = str(sample.fields["audio"]), span_of(sample)
        if self.windows == 1:
            return []
        if not self.windows:
            return [self.arrays(wave) for wave in quiet.parts(path, self.seconds, span)]
        waves = self._audio.further(path, self.seconds, self.windows, span)
        return [self.arrays(wave) for wave in waves]

    def arrays(self, wave: Any) -> Sequence[Any]:
        """One for each of `files`."""
        raise NotImplementedError


class Spectrograms(_Recordings):
    """Recordings as pictures for networks that take images: uint8 (size, size, 3), see `audio.picture`."""

    def __init__(self, decoding: Decoding) -> None:
        super().__init__(decoding)
        self.size = decoding.size
        self.files = (File("image", "uint8", (self.size, self.size, 3)),)

    def key(self, workers: int) -> str:
        return f"{self._audio.DECODER}|spectrogram|{self.size}|{self.seconds:g}"

    def arrays(self, wave: Any) -> Sequence[Any]:
        return [self._audio.picture(wave, self.size, self.seconds)]


class Waves(_Recordings):
    """Recordings as waveforms: int16 (samples,), zero behind the end, and how many of them there are."""

    def __init__(self, decoding: Decoding) -> None:
        super().__init__(decoding)
        self.samples = max(1, round(self.seconds * self._audio.RATE))
        self.files = (File("audio", "int16", (self.samples,)), File("length", "int64", ()))

    def key(self, workers: int) -> str:
        return f"{self._audio.DECODER}|wave|{self.seconds:g}"

    def arrays(self, wave: Any) -> Sequence[Any]:
        heard = wave[: self.samples]
        whole = np.zeros(self.samples, np.int16)
        whole[: len(heard)] = heard
        return [whole, np.array(len(heard), np.int64)]


class Cepstra(_Recordings):
    """Recordings as numbers of how they sound: float32 (width,), see `cepstrum.statistics`."""

    def __init__(self, decoding: Decoding) -> None:
        from autoft.data import cepstrum

        super().__init__(decoding)
        self._cepstrum = cepstrum
        self.files = (File("cepstra", "float32", (cepstrum.WIDTH,)),)

    def key(self, workers: int) -> str:
        return f"{self._audio.DECODER}|cepstra|{self._cepstrum.VERSION}|{self.seconds:g}"

    def arrays(self, wave: Any) -> Sequence[Any]:
        return [self._cepstrum.statistics(wave)]


@runtime_checkable
class Windowed(Protocol):
    """A form whose samples may be longer than what a network sees at once."""

    files: Sequence[File]

    def further(self, sample: Sample) -> list[Sequence[Any]]: ...


class Texts:
    """Texts as they are: one tuple of words each, with as many members as the sample has texts."""

    stored = False
    files = (File("text", "object", ()),)

    def __init__(self, decoding: Decoding) -> None:
        """Nothing about texts can be chosen here: their length belongs to the network."""

    def key(self, workers: int) -> str:
        return "text"

    def row(self, number: int, sample: Sample) -> Row:
        return Row([texts_of(sample)])


def texts_of(sample: Sample) -> tuple[str, ...]:
    """The texts of a sample: one, or several that belong together."""
    value = sample.fields["text"]
    return (value,) if isinstance(value, str) else tuple(str(part) for part in value)


class Masks:
    """Classes of pixels: uint8 or uint16 (size, size), see `vocab.IGNORED`."""

    stored = True

    def __init__(self, labels: masks.Labels, decoding: Decoding) -> None:
        self.labels, self.size = labels, decoding.size
        self.files = (File(MASK, labels.dtype, (self.size, self.size)),)

    def key(self, workers: int) -> str:
        return masks.fingerprint(self.labels, workers)

    def row(self, number: int, sample: Sample) -> Row:
        found = masks.decode(number, self.labels, self.size, str(sample.fields["image"]))
        return Row([found.pixels], [(found.kind, found.remark)] if found.remark else ())


_MAKERS: Final[Mapping[tuple[str, str], Callable[[Decoding], Form]]] = {
    ("image", "image"): Squares,
    ("audio", "image"): Spectrograms,
    ("audio", "audio"): Waves,
    ("audio", "cepstra"): Cepstra,
    ("text", "text"): Texts,
}
"""(field, modality of the network) -> the form that goes from one to the other."""


KEYS: Final = {"image": ("image",), "audio": ("audio", "length"), "text": ("text",), "cepstra": ("cepstra",)}
"""Modality -> keys under which a feed gives what its networks take in."""


def inputs(field: str, modalities: Collection[str], decoding: Decoding) -> list[Form]:
    """The forms in which networks of these modalities take a field.

    Raises:
        UsageError: there is no way from the field to one of them.
    """
    for modality in modalities:
        if (field, modality) not in _MAKERS:
            raise UsageError(f"a network for {modality} cannot take the field '{field}'.")
    return [_MAKERS[field, modality](decoding) for modality in sorted(set(modalities))]
