"""Recordings as statistics of cepstral coefficients: of any length, and finite whatever they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from autoft.data import audio, cepstrum, forms
from autoft.data.store import fingerprint
from autoft.records import Decoding, Sample


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, samples).astype(np.int16)


@pytest.mark.parametrize("samples", [1, 100, 511, 512, 671, 672, 832, 16_000])
def test_recordings_of_any_length_give_as_many_numbers(samples: int) -> None:
    for wave in (noise(samples), np.zeros(samples, np.int16), np.full(samples, -32768, np.int16)):
        found = cepstrum.statistics(wave)
        assert found.shape == (cepstrum.WIDTH,) and found.dtype == np.float32 and np.isfinite(found).all()


def test_coefficients_are_the_cosine_transform_of_the_log_mel_bands() -> None:
    fft = pytest.importorskip("scipy.fft", reason="core alone does without it")
    wave = noise(512)
    power = np.abs(np.fft.rfft(wave / 32768 * np.hanning(512))) ** 2
    bands = np.log(audio.mel_filters(512, cepstrum.BANDS) @ power + cepstrum.FLOOR)
    wanted = fft.dct(bands, norm="ortho")[: cepstrum.KEPT]
    assert np.allclose(cepstrum.statistics(wave)[: cepstrum.KEPT], wanted, atol=1e-3), "one frame is its own mean"


def test_silence_around_a_voice_changes_its_own_statistics_little() -> None:
    wave, quiet = noise(16_000), np.zeros(8000, np.int16)
    alone, within = (cepstrum.statistics(w)[:20] for w in (wave, np.concatenate([quiet, wave, quiet])))
    assert np.abs(alone - within).max() < 0.5


def test_usual_numbers_of_speech_like_sound_are_of_size_one() -> None:
    middle, size = cepstrum.usual()
    assert middle.shape == size.shape == (cepstrum.WIDTH,) and (size > 0).all()
    beat = np.sin(np.arange(32_000) / 12) * np.sin(np.arange(32_000) / 2000) * 0.3
    wave = (noise(32_000) * 0.1 + 32_767 * beat).astype(np.int16)
    assert np.abs((cepstrum.statistics(wave) - middle) / size).mean() < 5


def test_a_form_gives_them_and_those_of_further_parts(tmp_path: Path) -> None:
    place = tmp_path / "a.wav"
    soundfile.write(place, np.concatenate([noise(8000), noise(24_000, 1) // 8]), 16_000)
    sample, decoding = Sample(id="a", fields={"audio": str(place)}), Decoding(seconds=1.0, windows=4)
    (form,) = forms.inputs("audio", ["cepstra"], decoding)
    (found,) = form.row(0, sample).arrays
    assert np.array_equal(found, cepstrum.statistics(audio.decode(str(place), 1.0).wave))
    assert isinstance(form, forms.Windowed) and len(form.further(sample)) == 1
    (wave,) = forms.inputs("audio", ["audio"], decoding)
    assert fingerprint(["x"], [form]) != fingerprint(["x"], [wave])
