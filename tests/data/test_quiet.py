"""Long recordings are cut where it is quiet, and nothing of them is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from autoft.data import audio, quiet
from autoft.data.images import BadSample

RATE = audio.RATE


def bursts(path: Path, words: int, rate: int = RATE, tail: float = 0.0) -> np.ndarray:
    """Noise of .7 s, then silence of .3 s, so often."""
    rng = np.random.default_rng(0)
    word = np.concatenate([0.3 * rng.uniform(-1, 1, round(0.7 * rate)), np.zeros(round(0.3 * rate))])
    wave = np.concatenate([*[word] * words, np.zeros(round(tail * rate))])
    soundfile.write(path, wave, rate)
    return wave


def test_parts_are_the_whole_recording_and_no_word_is_cut(tmp_path: Path) -> None:
    bursts(tmp_path / "a.wav", 10)
    whole = audio.decode(str(tmp_path / "a.wav"), 0).wave
    found = quiet.parts(str(tmp_path / "a.wav"), 4.2)
    assert np.array_equal(np.concatenate(found), whole)
    assert [round(len(part) / RATE) for part in found] == [4, 4, 2]
    assert all(not part[-1600:].any() for part in found), "each ends in silence"


def test_at_another_rate_as_well(tmp_path: Path) -> None:
    bursts(tmp_path / "a.flac", 9, 22_050)
    found = quiet.parts(str(tmp_path / "a.flac"), 2.5)
    whole = audio.decode(str(tmp_path / "a.flac"), 0).wave
    assert abs(sum(map(len, found)) - len(whole)) < 8 and all(len(part) <= 2.5 * RATE for part in found)


@pytest.mark.parametrize("seconds", [10.0, 9.95, 30.0])
def test_what_is_hardly_longer_has_no_parts(tmp_path: Path, seconds: float) -> None:
    bursts(tmp_path / "a.wav", 10)
    assert quiet.parts(str(tmp_path / "a.wav"), seconds) == []


def test_noise_without_a_pause_is_cut_all_the_same(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.3 * np.random.default_rng(0).uniform(-1, 1, 5 * RATE), RATE)
    found = quiet.parts(str(tmp_path / "a.wav"), 1.0)
    assert sum(map(len, found)) == 5 * RATE and len(found) <= 8


def test_silence_is_cut_as_late_as_can_be(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(3 * RATE), RATE)
    assert [round(len(part) / RATE, 1) for part in quiet.parts(str(tmp_path / "a.wav"), 1.0)] == [0.9, 0.9, 0.9, 0.3]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(BadSample):
        quiet.parts(str(tmp_path / "a.wav"), 1.0)
