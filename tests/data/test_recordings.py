"""Silent, clipped, cut and empty recordings are found in reading and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from autoft.data import audio, checks, forms, images, recordings, store
from autoft.data.inspect import inspect
from autoft.records import Dataset, Decoding, Sample

RATE = 16_000


def tone(loud: float = 0.5, seconds: float = 1.0) -> np.ndarray:
    return loud * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)


def kinds(values: np.ndarray) -> list[str]:
    return [flaw.kind for flaw in recordings.flaws(values if values.ndim == 2 else values[:, None])]


def test_silence_and_clipping_are_heard() -> None:
    assert kinds(tone()) == kinds(tone(0.98)) == kinds(tone(0.01)) == []
    assert kinds(np.zeros(100)) == kinds(tone(0.0005)) == ["silent"]
    assert kinds(np.clip(tone(1.5), -1, 1)) == ["clipped"]
    assert kinds(np.clip(tone(1.5), -1, 127 / 128)) == ["clipped"], "recordings of 8 bits"
    assert kinds(np.stack([tone(), np.clip(tone(3), -1, 1)], 1)) == ["clipped"], "one channel of two"
    single = tone()
    single[::100] = 1.0
    assert kinds(single) == [], "a sample at full scale alone is no top that is cut off"
    assert recordings.flaws(np.zeros((9, 1)))[0].detail == "all of its samples are 0"


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "mp3"])
def test_a_file_that_is_cut_is_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * RATE)
    soundfile.write(tmp_path / f"whole.{suffix}", noise, RATE)
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    assert not audio.decode(whole, 0).flaws and audio.header(whole).seconds >= 3

    with pytest.raises(images.BadSample) as caught:
        audio.header(whole[: len(whole) // 2])
        audio.decode(whole[: len(whole) // 2], 0)
    assert caught.value.kind in ("cut_off", "not_audio") and caught.value.detail
    if suffix in ("wav", "aiff"):
        assert (caught.value.kind, caught.value.detail) == ("cut_off", "50% of what its header promises is missing")


def test_sizes_that_were_not_known_are_no_promise(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    place = data.index(b"data") + 4
    for size in (b"\xff\xff\xff\xff", bytes(4)):
        data[place : place + 4] = size
        assert recordings.cut_off(bytes(data)) == ""
    assert recordings.cut_off(b"RIFF") == recordings.cut_off(b"") == recordings.cut_off(b"fLaC" + bytes(40)) == ""


@pytest.mark.parametrize("modalities", [("audio",), ("audio", "image")])
def test_what_is_wrong_is_named_once_and_what_is_lost_is_left_out(tmp_path: Path, modalities: tuple[str, ...]) -> None:
    contents = {"fine": tone(), "loud": np.clip(tone(2), -1, 1), "quiet": np.zeros(RATE), "empty": np.zeros(0)}
    for name, wave in contents.items():
        soundfile.write(tmp_path / f"{name}.wav", wave, RATE)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "fine.wav").read_bytes()[:9000])
    names = [*contents, "cut"]
    samples = tuple(Sample(id=name, fields={"audio": str(tmp_path / f"{name}.wav")}) for name in names)
    found = inspect(Dataset(samples=samples, reader="t", root="", recognised="t"), ["audio"])
    assert [(i.kind, i.subject, i.drops) for i in found.issues] == [("empty", "empty", True), ("cut_off", "cut", True)]

    decoding = Decoding(size=32, seconds=1.0)
    wanted = forms.inputs("audio", modalities, decoding)
    for _ in ("built", "opened again"):
        made, told = store.build(found.dataset, found.digests, wanted, decoding, tmp_path / "cache")
        assert not made.bad
        assert [(i.kind, i.subject, i.drops) for i in told] == [("clipped", "loud", False), ("silent", "quiet", False)]
    assert checks.summarise(told)[1].startswith("1 recording in which nothing is heard: quiet (all of its samples")


def test_channels_in_antiphase_are_named_and_the_loudest_is_heard(tmp_path: Path) -> None:
    both = np.stack([tone(), -0.99 * tone()], 1)
    assert kinds(both) == ["cancelling"] and kinds(np.stack([tone(), 0 * tone()], 1)) == []
    noise = np.random.default_rng(0).normal(0, 0.1, (RATE, 2))
    assert kinds(noise) == [] and np.array_equal(recordings.mixed(noise), noise.mean(1))
    soundfile.write(tmp_path / "a.wav", both, RATE)
    decoded = audio.decode(str(tmp_path / "a.wav"), 0)
    assert np.allclose(decoded.wave / 32768, tone(), atol=1e-3) and decoded.flaws[0].kind == "cancelling"
    (further,) = audio.further(str(tmp_path / "a.wav"), 0.6, 2)
    assert np.abs(further).max() > 16000


def test_samples_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    wave = tone()
    wave[4000:8000] = np.nan
    wave[8000:8001] = np.inf
    soundfile.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
    decoded = audio.decode(str(tmp_path / "a.wav"), 0)
    assert [(flaw.kind, flaw.detail) for flaw in decoded.flaws] == [
        ("not_finite", "25.0% of its samples are no numbers")
    ]
    assert not decoded.wave[4000:8001].any() and decoded.wave[:4000].any()
    assert kinds(np.full(100, np.nan)) == ["not_finite", "silent"]
    assert {"not_finite", "cancelling"} <= checks.WORDS.keys()
