"""Texts and recordings from the command line to a prediction, on the PyTorch backend, without any download."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("autoft_torch")
pytest.importorskip("soundfile")
pytestmark = pytest.mark.slow
SHORT = ("--time", "150s", "--offline", "--backend", "torch", "--strategy", "flat", "--trials", "2")


def table(path: Path, rows: list[dict[str, str]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def tones(folder: Path, count: int, *, steps: bool = False) -> list[tuple[Path, int]]:
    """Recordings of one of two pitches at 8 kHz, of uneven lengths; or of both, one after the other, in one of two
    orders."""
    import soundfile

    rng, made = np.random.default_rng(0), []
    for number in range(count):
        kind, length = number % 2, int(rng.integers(4000, 8000))
        later = np.arange(length) >= length // 2
        high = np.where(later, 1 - kind, kind) if steps else np.full(length, kind)
        wave = 0.4 * np.sin(2 * np.pi * np.cumsum(300 + 900 * high) / 8000)
        path = folder / f"{number:02d}.wav"
        soundfile.write(path, wave + 0.01 * rng.normal(size=length), 8000)
        made.append((path, kind))
    return made


def test_texts_from_a_table_to_predictions(run: Any, tmp_path: Path) -> None:
    words = {"good": "a fine and lovely day", "bad": "an awful and dull night"}
    rows = [{"remark": f"{words[name]}, he said {n} times", "label": name} for n in range(40) for name in words]
    fixed = ("epochs=6", "batch_size=8", "lr=0.01", "augment=none")
    summary = run("search", "--task", "text-cls", "--data", table(tmp_path / "texts.csv", rows), *SHORT, *fixed)
    assert summary["test"]["metrics"]["accuracy"] == 1.0
    assert summary["test"]["plain"]["metrics"]["accuracy"] == 1.0 and "TF-IDF" in summary["test"]["plain"]["name"]
    best = summary["paths"]["best"]
    # Which column was guessed is remembered, though another name would be more usual.
    new = [{"text": "dull", "remark": "lovely!"}, {"text": "lovely", "remark": "dull and awful"}]
    found = run("predict", best, "--source", table(tmp_path / "new.csv", new))
    assert [row["prediction"] for row in found] == ["good", "bad"]
    assert run("val", best, "--data", str(tmp_path / "texts.csv"))["metrics"]["accuracy"] == 1.0


def test_pairs_of_texts_are_read_from_the_same_columns_again(run: Any, tmp_path: Path) -> None:
    words = {"yes": "a fine and lovely day", "no": "an awful and dull night"}
    rows = [{"title": f"number {n}", "said": words[name], "label": name} for n in range(40) for name in words]
    data, fixed = table(tmp_path / "pairs.csv", rows), ("epochs=2", "batch_size=8", "augment=none")
    summary = run("search", "--task", "text-cls", "--data", data, "--text-col", "title,said", *SHORT, *fixed)
    best, new = summary["paths"]["best"], [{"said": "a lovely day", "title": "number 1"}]
    assert [row["prediction"] for row in run("predict", best, "--source", table(tmp_path / "new.csv", new))] == ["yes"]
    assert run("val", best, "--data", data)["metrics"]["accuracy"] == 1.0


def test_recordings_are_classified_as_pictures(run: Any, tmp_path: Path) -> None:
    for path, kind in tones(tmp_path, 32):
        folder = tmp_path / "sounds" / ("low", "high")[kind]
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)
    fixed = ("freeze=1", "epochs=4", "lr=0.01")
    summary = run("search", "--task", "audio-cls", "--data", str(tmp_path / "sounds"), *SHORT, *fixed)
    assert summary["test"]["metrics"]["accuracy"] == 1.0
    found = run("predict", summary["paths"]["best"], "--source", str(tmp_path / "sounds" / "high"))
    assert {row["prediction"] for row in found} == {"high"}


def test_speech_to_letters(run: Any, tmp_path: Path) -> None:
    # Networks for speech bring each band to one mean and deviation, so a held pitch tells them nothing.
    rows = [{"path": path.name, "transcript": "ab"[kind]} for path, kind in tones(tmp_path, 32, steps=True)]
    fixed = ("--models", "autoft/ctc-s", "epochs=30", "lr=0.005", "augment=none", "batch_size=4", "--time", "400s")
    summary = run("search", "--task", "asr", "--data", table(tmp_path / "said.csv", rows), *SHORT, *fixed)
    assert summary["test"]["metrics"]["cer"] < 0.5
    assert len(run("predict", summary["paths"]["best"], "--source", str(tmp_path / "00.wav"))) == 1
