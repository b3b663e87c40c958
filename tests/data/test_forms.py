"""Recordings and texts on their way to a network, from the store and decoded when asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from autoft.data import audio, forms, images, store
from autoft.data.feed import DecodedFeed, StoreFeed
from autoft.data.inspect import inspect
from autoft.errors import UsageError
from autoft.records import Dataset, Decoding, Sample

RATES = (8000, 16000, 22050, 44100)


def tone(hertz: float, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def recordings(folder: Path) -> Dataset:
    samples = []
    for number, rate in enumerate(RATES):
        path = folder / f"{rate}.wav"
        soundfile.write(path, tone(440 * (number + 1), 0.5 + 0.25 * number, rate), rate)
        samples.append(Sample(id=path.name, fields={"audio": str(path), "label": str(number % 2)}))
    return Dataset(samples=tuple(samples), reader="test", root=str(folder), recognised="tones")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate", RATES)
def test_any_format_and_rate_gives_one_channel_at_one_rate(tmp_path: Path, suffix: str, rate: int) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.stack([tone(500, 1.0, rate), np.zeros(rate)], 1), rate)
    wave = audio.decode(str(path), 0).wave
    assert wave.dtype == np.int16 and abs(len(wave) - audio.RATE) < 0.06 * audio.RATE
    middle = wave[4000:12000].astype(float)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(np.fft.rfftfreq(len(middle), 1 / audio.RATE)[spectrum.argmax()] - 500) < 5
    assert 0.2 < np.abs(middle).max() / 32768 < 0.3, "the mean of a tone and of silence"


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_any_depth_means_the_same(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(300, 0.3, 16000), 16000, subtype=subtype)
    found = audio.decode(str(tmp_path / "a.wav"), 0).wave / 32768
    assert np.abs(found - tone(300, 0.3, 16000)).max() < 0.01


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"words")
    soundfile.write(tmp_path / "b.wav", np.zeros(0), 16000)
    for name, kind in (("a.wav", "not_audio"), ("b.wav", "empty"), ("c.wav", "missing")):
        with pytest.raises(images.BadSample) as caught:
            audio.decode(str(tmp_path / name), 1.0)
        assert caught.value.kind == kind


def test_a_picture_shows_pitch_and_time() -> None:
    wave = np.zeros(16000, np.int16)
    wave[:8000] = np.rint(20000 * tone(300, 0.5, 16000))
    wave[8000:] = np.rint(20000 * tone(4000, 0.5, 16000))
    found = audio.picture(wave, 64, 2.0)
    assert found.shape == (64, 64, 3) and found.dtype == np.uint8 and found.max() == 255
    grey = found[..., 0].astype(int)
    assert grey[:, 4].argmax() > grey[:, 24].argmax(), "low bands stand below"
    assert not grey[:, 40:].any(), "nothing is behind the end"
    assert (
        np.array_equal(found, audio.picture(wave // 2, 64, 2.0))
        or np.abs(found.astype(int) - audio.picture(wave // 2, 64, 2.0)).max() <= 2
    ), "loudness as a whole does not matter"


def test_silence_is_a_black_or_even_picture() -> None:
    assert np.unique(audio.picture(np.zeros(8000, np.int16), 32, 1.0)).size == 1


def test_the_store_and_a_prediction_agree(tmp_path: Path) -> None:
    found = inspect(recordings(tmp_path), ("audio",))
    assert np.allclose(found.seconds, [0.5, 0.75, 1.0, 1.25], atol=0.01)
    decoding = Decoding(size=32, seconds=1.0)
    wanted = forms.inputs("audio", ["image", "audio"], decoding)
    built, issues = store.build(found.dataset, found.digests, wanted, decoding, tmp_path)
    assert not issues and len(built) == 4 and built.decoding == decoding
    assert built.arrays["audio"].shape == (4, 16000) and built.arrays["image"].shape == (4, 32, 32, 3)
    assert built.arrays["length"].tolist() == [8000, 12000, 16000, 16000]
    rows = np.array([3, 0])
    kept, fresh = StoreFeed(built.arrays, rows).batch(np.arange(2)), DecodedFeed(found.dataset.samples, wanted)
    again = fresh.batch(rows)
    assert all(np.array_equal(kept[key], again[key]) for key in ("audio", "length", "image"))


def test_texts_come_as_tuples() -> None:
    samples = [Sample(id="a", fields={"text": "one"}), Sample(id="b", fields={"text": ["two", "three"]})]
    batch = DecodedFeed(samples, forms.inputs("text", ["text"], Decoding())).batch(np.array([1, 0]))
    assert batch["text"].tolist() == [("two", "three"), ("one",)]


def test_no_way_from_a_field_to_a_network_is_said() -> None:
    with pytest.raises(UsageError, match="a network for text cannot take the field 'image'"):
        forms.inputs("image", ["text"], Decoding())
