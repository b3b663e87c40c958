"""Cards of Transformers' encoders of texts and recordings, from what their folders say. Imports no framework."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from autoft.api import ModelCard, UsageError

Config = Mapping[str, Any]

RATE = 16_000
"""Samples per second that feeds give."""
CONVOLUTIONAL = ("wav2vec2", "hubert", "wavlm")
"""Networks that take in the waveform itself: convolutions, then layers of a transformer."""
PICTURES = {"audio-spectrogram-transformer": ("pooled",), "whisper": ("pooled", "sequence")}
"""Networks that take in log-mel bands -> the outputs that they can be for."""
BOTH_WAYS = (
    *("bert", "distilbert", "roberta", "xlm-roberta", "camembert", "deberta", "deberta-v2", "electra", "modernbert"),
    *("albert", "mpnet"),
)
"""Networks in which a token sees the whole text."""
CAUSAL = ("gpt2", "gpt_neo", "gpt_neox", "opt", "llama", "mistral", "qwen2", "qwen3")
"""Networks in which a token sees what stands before it: the last one has seen the text."""
AUTOREGRESSIVE = ("ForCausalLM", "LMHeadModel")
"""How the classes end that such networks are saved from."""
MOST_TOKENS = 512
"""Of a text, where the recipe says nothing: longer ones are dear, also for networks that could take them."""
LARGE = 1024
"""Width from which on a text network is large."""
SLOW, USUAL, FAST = 2e-5, 5e-5, 1e-4
"""Rates of Adam: of large networks and of DeBERTa (He et al., 2021), of BERT and the like (Devlin et al., 2019), and of
speech networks under CTC (Baevski et al., 2020)."""

TOKENIZERS = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.txt", "vocab.json", "merges.txt", "spm.model", "spiece.model", "sentencepiece.bpe.model"),
    "tokenizer.model",
)
"""Files that a tokenizer may be made of."""
KEPT = "tokenizer"
"""Folder of a saved model, in which its tokenizer lies."""
FACTS = "tokens.json"
"""What the network must know of it."""
KEPT_FILES = (f"{KEPT}/tokenizer.json", f"{KEPT}/{FACTS}")
POOLINGS = "1_Pooling/config.json"
"""How Sentence Transformers pool."""
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
"""Where the sampling rate and the like stand, the older name first."""
LETTERS = "vocab.json"
"""What the rows of a head for CTC say."""
OLD_HEADS = {
    "text": ("lm_head.", "cls.", "score.", "vocab_", "pre_classifier.", "discriminator_predictions.", "decoder."),
    "audio": ("lm_head.", "projector.", "quantizer.", "project_", "decoder.", "model.decoder.", "proj_out."),
}
"""Modality -> how the arrays begin that are left out of a network's count."""


def modality(config: Config) -> str:
    """text or audio; empty for others."""
    kind = str(config.get("model_type", ""))
    if kind in CONVOLUTIONAL or kind in PICTURES:
        return "audio"
    if kind in (*BOTH_WAYS, *CAUSAL) or ("vocab_size" in config and "image_size" not in config):
        return "text"
    return ""


def files(config: Config) -> tuple[str, ...]:
    """What a network needs beside its weights and its configuration, as far as its repository has it."""
    spells = (LETTERS,) if _spells(config) else ()
    return {"text": (*TOKENIZERS, POOLINGS), "audio": (*PROCESSORS, *spells)}.get(modality(config), PROCESSORS[:1])


def _spells(config: Config) -> bool:
    """Whether the checkpoint has a head for letters."""
    saved = [str(one) for one in config.get("architectures") or ()]
    return config.get("model_type") in CONVOLUTIONAL and any(one.endswith("ForCTC") for one in saved)


def _letters(vocabulary: Config, config: Config) -> dict[str, int]:
    """Letter in lower case -> its row of the head; the empty one is the blank, which is the padding token's."""
    if not _spells(config):
        return {}
    numbers = {str(word): number for word, number in vocabulary.items() if isinstance(number, int)}
    found = {" " if word == "|" else word.lower(): number for word, number in numbers.items() if len(word) == 1}
    return {**found, "": int(config.get("pad_token_id") or 0)}


def card(name: str, config: Config, processor: Config, pooling: Config, vocabulary: Config, folder: Path) -> ModelCard:
    """The card of a text or audio network; its weights are not named yet.

    Raises:
        UsageError: it is not an encoder, or made for another sampling rate.
    """
    if modality(config) == "text":
        return replace(_text(name, config, pooling), folder=str(folder.resolve()), files=TOKENIZERS)
    letters = _letters(vocabulary, config)
    found = _audio(name, config, processor)
    return replace(found, extra={**found.extra, "letters": letters}) if len(letters) > 1 else found


def _text(name: str, config: Config, pooling: Config) -> ModelCard:
    kind = str(config["model_type"])
    if config.get("is_encoder_decoder"):
        raise UsageError(
            f"a text network must be an encoder, or a decoder alone, but {name} is a {kind}, which has both.",
            f"Take one of {', '.join((*BOTH_WAYS, *CAUSAL))}.",
        )
    saved = [str(one) for one in config.get("architectures") or ()]
    causal = kind in CAUSAL or any(one.endswith(AUTOREGRESSIVE) for one in saved)
    auto = "last" if causal else "first"
    if pooling.get("pooling_mode_mean_tokens") or config.get("classifier_pooling") == "mean":
        auto = "mean"
    large = max(int(config.get(key) or 0) for key in ("hidden_size", "dim", "n_embd")) >= LARGE
    return ModelCard(
        name=name,
        backend="torch",
        modality="text",
        lr=SLOW if large or kind.startswith("deberta") else USUAL,
        licence=str(config.get("license") or ""),
        summary=f"{kind} of Transformers",
        extra={"library": "transformers-text", "config": dict(config), "pooling": auto},
    )


def _audio(name: str, config: Config, processor: Config) -> ModelCard:
    kind, rate = str(config["model_type"]), int(processor.get("sampling_rate") or RATE)
    if rate != RATE:
        raise UsageError(f"an audio network must take {RATE} samples per second, but {name} takes {rate}.")
    kept = {key: value for key, value in processor.items() if key != "mel_filters"}  # a large table, made anew
    return ModelCard(
        name=name,
        backend="torch",
        modality="audio",
        heads=PICTURES.get(kind, ("pooled", "sequence")),
        lr=FAST if kind in CONVOLUTIONAL else USUAL,
        licence=str(config.get("license") or ""),
        summary=f"{kind} of Transformers" + (", its encoder alone" if config.get("is_encoder_decoder") else ""),
        extra={"library": "transformers-audio", "config": dict(config), "processor": kept},
    )
