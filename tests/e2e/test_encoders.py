"""Encoders of Transformers in local folders, from the command line to a prediction by what was kept."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("autoft_torch")
hf = pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
pytestmark = pytest.mark.slow
SHORT = ("--time", "150s", "--offline", "--backend", "torch", "--strategy", "flat", "--trials", "2")
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
WORDS = {"good": "a fine and lovely day", "bad": "an awful and dull night"}


def tiny_bert(folder: Path) -> None:
    folder.mkdir()
    words = sorted({word for text in WORDS.values() for word in text.split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    hf.set_seed(0)
    hf.BertModel(hf.BertConfig(vocab_size=len(vocabulary), **SIZES)).save_pretrained(folder)


def test_texts_by_a_bert_in_a_folder(run: Any, tmp_path: Path) -> None:
    tiny_bert(tmp_path / "tiny-bert")
    with (tmp_path / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([f"{WORDS[name]} {n}", name] for n in range(40) for name in WORDS)
    fixed = ("epochs=12", "batch_size=8", "lr=0.003", "augment=none", "pooling=mean")
    summary = run("search", "--task", "text-cls", "--data", "texts.csv", "--models", "./tiny-bert", *SHORT, *fixed)
    assert summary["test"]["metrics"]["accuracy"] == 1.0
    shutil.rmtree(tmp_path / "tiny-bert")
    best = Path(summary["paths"]["best"])
    assert (best / "tokenizer" / "tokenizer.json").is_file()
    (tmp_path / "new.csv").write_text("text\nlovely\ndull awful night\n", encoding="utf-8")
    found = run("predict", str(shutil.move(best, tmp_path / "model")), "--source", "new.csv")
    assert [row["prediction"] for row in found] == ["good", "bad"]


def test_recordings_by_a_wav2vec2_in_a_folder(run: Any, tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    convolutions = {"conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    hf.set_seed(0)
    network = hf.Wav2Vec2Model(hf.Wav2Vec2Config(**SIZES, **convolutions))
    network.save_pretrained(tmp_path / "tiny-wav2vec2")
    hf.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "tiny-wav2vec2")
    rng = np.random.default_rng(0)
    for number in range(48):
        kind, length = number % 2, int(rng.integers(4000, 8000))
        wave = np.sin(2 * np.pi * 300 * np.arange(length) / 8000) if kind else rng.normal(size=length)
        place = tmp_path / "sounds" / ("noise", "tone")[kind] / f"{number}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(place, 0.3 * wave, 8000)
    fixed = ("epochs=8", "batch_size=4", "lr=0.002", "freeze=0", "augment=none", "optimizer=adamw")
    network_ = ("--models", "./tiny-wav2vec2")
    summary = run("search", "--task", "audio-cls", "--data", "sounds", *network_, *SHORT, *fixed)
    assert summary["test"]["metrics"]["accuracy"] > 0.9
    shutil.rmtree(tmp_path / "tiny-wav2vec2")
    found = run("predict", summary["paths"]["best"], "--source", str(tmp_path / "sounds" / "tone"))
    assert len(found) == 24 and sum(row["prediction"] == "tone" for row in found) > 21
