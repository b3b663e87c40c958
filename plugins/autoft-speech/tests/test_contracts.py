"""The tasks, the plugin and the readers keep the contracts."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from autoft.api import Dataset, Problem, ReadOptions, Sample
from autoft.testing import PluginContract, ReaderContract, TaskContract, toys
from autoft_speech._asr import SpeechRecognition
from autoft_speech._kaldi import KaldiReader
from autoft_speech._ljspeech import LjspeechReader
from autoft_speech._sounds import AudioClassification, AudioMultiLabel
from autoft_speech._stm import StmReader
from autoft_speech._tracks import TracksReader

WORDS = ("yes no", "no yes no", "Don't!", "no", "yes, yes", "don't no", "yes", "no no")


def recording(path: Path, seconds: float = 0.1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
        file.writeframes(np.random.default_rng(0).integers(-900, 900, int(8000 * seconds)).astype("<i2").tobytes())
    return path


class TestAudioClassification(TaskContract):
    task = AudioClassification

    def dataset(self, folder: Path) -> Dataset:
        return sounding(toys.dataset(folder))

    def unlearnable(self, folder: Path) -> Dataset:
        return sounding(toys.dataset(folder, classes=1))


class TestAudioMultiLabel(TaskContract):
    task = AudioMultiLabel

    def dataset(self, folder: Path) -> Dataset:
        data = sounding(toys.dataset(folder))
        samples = tuple(
            msgspec.structs.replace(s, fields={"audio": s.fields["audio"], "labels": [s.fields["label"]] * (n % 4 > 0)})
            for n, s in enumerate(data.samples)
        )
        return msgspec.structs.replace(data, samples=samples)

    def unlearnable(self, folder: Path) -> Dataset:
        data = self.dataset(folder)
        return msgspec.structs.replace(data, samples=data.samples[:1])


def sounding(data: Dataset) -> Dataset:
    """The toys, whose pictures stand for recordings too: the task looks at labels alone."""
    samples = [
        msgspec.structs.replace(sample, fields={**sample.fields, "audio": sample.fields["image"]})
        for sample in data.samples
    ]
    return msgspec.structs.replace(data, samples=tuple(samples))


class TestSpeechRecognition(TaskContract):
    task = SpeechRecognition

    def dataset(self, folder: Path, words: tuple[str, ...] = WORDS) -> Dataset:
        samples = tuple(
            Sample(id=f"{n}", fields={"audio": str(recording(folder / f"{n}.wav")), "transcript": said})
            for n, said in enumerate(words)
        )
        return Dataset(samples=samples, reader="toy", root=str(folder), recognised="toys")

    def unlearnable(self, folder: Path) -> Dataset:
        return self.dataset(folder, ("no",) * 4)

    def perfect_outputs(self, problem: Problem, targets: dict[str, Any]) -> dict[str, Any]:
        return {"transcript": certain(targets["transcript"], problem.outputs[0].size)}

    def perfect_score(self, metric: Any) -> float:
        return 0.0


def certain(rows: np.ndarray, size: int) -> np.ndarray:
    """Frames that say these classes without doubt, a blank after each."""
    frames = np.zeros((len(rows), 2 * rows.shape[1], size), np.float32)
    frames[:, ::2] = np.eye(size, dtype=np.float32)[np.maximum(rows, 0)]
    frames[:, 1::2, 0] = 1
    return frames


class TestPlugin(PluginContract):
    plugin = "autoft_speech.plugin"
    distribution = "autoft-speech"


class TestKaldi(ReaderContract):
    reader = KaldiReader
    options = ReadOptions(needs=("audio", "transcript"))
    targets = ("transcript",)

    def write(self, folder: Path) -> str:
        write_kaldi(folder)
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        write_kaldi(folder)
        with (folder / "train" / "wav.scp").open("a") as file:
            file.write("lost nowhere.wav\npiped flac -cd b.flac |\nsilent train/u0.wav\n")
        return str(folder)


class TestLjspeech(ReaderContract):
    reader = LjspeechReader
    options = ReadOptions(needs=("audio", "transcript"))
    targets = ("transcript",)

    def write(self, folder: Path) -> str:
        for number in range(4):
            recording(folder / "wavs" / f"LJ{number}.wav")
        rows = [f"LJ{number}|Dr. No, {number}|Doctor No, {number}" for number in range(4)]
        (folder / "metadata.csv").write_text("\n".join(rows), encoding="utf-8")
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        with (folder / "metadata.csv").open("a") as file:
            file.write("\nLJ9|not there\nLJ1|again\nLJ2|\n")
        return str(folder)


class TestStm(ReaderContract):
    reader = StmReader
    options = ReadOptions(needs=("audio", "transcript"))
    targets = ("transcript",)

    def write(self, folder: Path) -> str:
        for name in ("a", "b", "c"):
            recording(folder / f"{name}.wav", 1.0)
            (folder / f"{name}.stm").write_text(f"{name} 1 who{name} 0 0.4 yes no\n{name} 1 who{name} 0.5 0.9 no\n")
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        with (folder / "a.stm").open("a") as file:
            file.write("lost 1 who 0 0.4 yes\na 1 who 0.9 0.5 no\na 1 whoa 0.1 0.2\n")
        return str(folder)


class TestTracks(ReaderContract):
    reader = TracksReader
    options = ReadOptions(needs=("audio", "label"))
    targets = ("label",)

    def write(self, folder: Path) -> str:
        for name in ("a", "b", "c"):
            recording(folder / f"{name}.wav", 1.0)
            (folder / f"{name}.txt").write_text("0.0\t0.4\tdog\n0.5\t0.9\tcat\n")
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        with (folder / "a.txt").open("a") as file:
            file.write("0.9\t0.9\tdog\n0.5\t0.2\tcat\n")
        return str(folder)


def write_kaldi(folder: Path) -> None:
    for part in ("train", "test"):
        for number in range(3):
            recording(folder / part / f"u{number}.wav")
        names = range(3)
        (folder / part / "wav.scp").write_text("".join(f"u{n} {part}/u{n}.wav\n" for n in names))
        (folder / part / "text").write_text("".join(f"u{n} {WORDS[n]}\n" for n in names))
        (folder / part / "utt2spk").write_text("".join(f"u{n} {part}{n % 2}\n" for n in names))
