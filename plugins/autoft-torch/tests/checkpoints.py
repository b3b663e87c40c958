"""Tiny encoders of texts and recordings with random weights, saved as a user has them: folders of Transformers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import transformers as hf
from tokenizers import models, pre_tokenizers, processors, trainers

from autoft.api import Job, ModelCard, Output, Problem, Recipe
from autoft.testing import toys
from autoft.testing.toys import ArrayFeed
from autoft_torch.backend import TorchBackend
from autoft_torch.local import LocalSource

Array = np.ndarray[Any, np.dtype[Any]]

LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
GOOD, BAD = "a fine and lovely day", "an awful dull night"
CORPUS = [f"{GOOD} number {n}, {BAD}! Déjà vu {n}." for n in range(30)]
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
CONVOLUTIONS: dict[str, Any] = {
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
PLACES = 32
"""Tokens that the text networks have places for."""


# ---- tokenizers -----------------------------------------------------------------------------------------


def word_pieces() -> Any:
    """As BERT's: lower case, [CLS] and [SEP]."""
    found = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    found.normalizer = tokenizers.normalizers.BertNormalizer()
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    found.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=150, special_tokens=special))
    found.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    found.decoder = tokenizers.decoders.WordPiece()
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=found, mask_token="[MASK]", **names)


def bytes_like(gpt: bool) -> Any:
    """As those of RoBERTa and of GPT-2, which adds nothing and has no padding."""
    found = tokenizers.Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = tokenizers.decoders.ByteLevel()
    special = ["<|endoftext|>"] if gpt else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    found.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=380, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    if gpt:
        found.post_processor = processors.ByteLevel(trim_offsets=False)
        ends = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
        return hf.PreTrainedTokenizerFast(tokenizer_object=found, **ends)
    found.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return hf.PreTrainedTokenizerFast(tokenizer_object=found, **_angled())


def unigrams(bert: bool) -> Any:
    """As those of XLM-R, and of DeBERTa, whose ends have BERT's names."""
    found = tokenizers.Tokenizer(models.Unigram())
    found.pre_tokenizer = pre_tokenizers.Metaspace()
    found.decoder = tokenizers.decoders.Metaspace()
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"] if bert else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    unknown = special[3]
    found.train_from_iterator(
        CORPUS, trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token=unknown)
    )
    first, last = ("[CLS]", "[SEP]") if bert else ("<s>", "</s>")
    numbers = [(name, found.token_to_id(name)) for name in (first, last)]
    pair = f"{first} $A {last} $B:1 {last}:1" if bert else f"{first} $A {last} {last} $B {last}"
    found.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", pair=pair, special_tokens=numbers)
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=found, **({**names, "mask_token": "[MASK]"} if bert else _angled())
    )


def _angled() -> dict[str, str]:
    ends = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    return {**ends, "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}


# ---- networks for texts -----------------------------------------------------------------------------------


def _bert(size: int) -> Any:
    return hf.BertForMaskedLM(hf.BertConfig(vocab_size=size, max_position_embeddings=PLACES, **SIZES))


def _distilbert(size: int) -> Any:
    sizes = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
    return hf.DistilBertModel(hf.DistilBertConfig(vocab_size=size, max_position_embeddings=PLACES, **sizes))


def _roberta(size: int) -> Any:
    config = hf.RobertaConfig(vocab_size=size, max_position_embeddings=PLACES + 2, type_vocab_size=1, **SIZES)
    return hf.RobertaForSequenceClassification(config)


def _xlm_roberta(size: int) -> Any:
    config = hf.XLMRobertaConfig(vocab_size=size, max_position_embeddings=PLACES + 2, type_vocab_size=1, **SIZES)
    return hf.XLMRobertaForMaskedLM(config)


def _deberta(size: int) -> Any:
    distances = {"relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm"}
    shared = {"share_att_key": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
    sizes = {**SIZES, "max_position_embeddings": PLACES, "type_vocab_size": 0}
    return hf.DebertaV2Model(hf.DebertaV2Config(vocab_size=size, **sizes, **distances, **shared))


def _electra(size: int) -> Any:
    config = hf.ElectraConfig(vocab_size=size, embedding_size=8, max_position_embeddings=PLACES, **SIZES)
    return hf.ElectraForPreTraining(config)


def _modernbert(size: int) -> Any:
    ends = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    return hf.ModernBertModel(
        hf.ModernBertConfig(vocab_size=size, max_position_embeddings=PLACES, local_attention=8, **ends, **SIZES)
    )


def _gpt2(size: int) -> Any:
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return hf.GPT2LMHeadModel(
        hf.GPT2Config(vocab_size=size, n_embd=16, n_layer=2, n_head=2, n_positions=PLACES, **ends)
    )


TEXTS: dict[str, tuple[Callable[[int], Any], Callable[[], Any], str]] = {
    # kind -> network for so many tokens, tokenizer, class that published tokenizers of this kind name
    "bert": (_bert, word_pieces, "BertTokenizer"),
    "distilbert": (_distilbert, word_pieces, "DistilBertTokenizer"),
    "electra": (_electra, word_pieces, "ElectraTokenizer"),
    "modernbert": (_modernbert, word_pieces, "PreTrainedTokenizerFast"),
    "roberta": (_roberta, lambda: bytes_like(gpt=False), "RobertaTokenizer"),
    "gpt2": (_gpt2, lambda: bytes_like(gpt=True), "GPT2Tokenizer"),
    "xlm-roberta": (_xlm_roberta, lambda: unigrams(bert=False), "XLMRobertaTokenizer"),
    "deberta-v2": (_deberta, lambda: unigrams(bert=True), "DebertaV2Tokenizer"),
}


# ---- networks for recordings ------------------------------------------------------------------------------


def _wav2vec2() -> Any:
    return hf.Wav2Vec2ForCTC(hf.Wav2Vec2Config(**SIZES, **CONVOLUTIONS))


def _wav2vec2_layered() -> Any:
    norms = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
    return hf.Wav2Vec2Model(hf.Wav2Vec2Config(**norms, **SIZES, **CONVOLUTIONS))


def _hubert() -> Any:
    return hf.HubertModel(hf.HubertConfig(**SIZES, **CONVOLUTIONS))


def _wavlm() -> Any:
    return hf.WavLMModel(hf.WavLMConfig(num_buckets=20, **SIZES, **CONVOLUTIONS))


def _ast() -> Any:
    return hf.ASTForAudioClassification(hf.ASTConfig(max_length=128, num_mel_bins=32, num_labels=5, **SIZES))


def _whisper() -> Any:
    heads = dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads", "encoder_layers"), 2)
    sizes = dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 32)
    ends = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
    config = hf.WhisperConfig(
        vocab_size=60, d_model=16, decoder_layers=1, max_source_positions=100, **heads, **sizes, **ends
    )
    return hf.WhisperForConditionalGeneration(config)


SOUNDS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    # kind -> network, what prepares its input
    "wav2vec2": (_wav2vec2, hf.Wav2Vec2FeatureExtractor),
    "wav2vec2-layered": (_wav2vec2_layered, lambda: hf.Wav2Vec2FeatureExtractor(return_attention_mask=True)),
    "hubert": (_hubert, hf.Wav2Vec2FeatureExtractor),
    "wavlm": (_wavlm, lambda: hf.Wav2Vec2FeatureExtractor(do_normalize=False)),
    "ast": (_ast, lambda: hf.ASTFeatureExtractor(max_length=128, num_mel_bins=32)),
    "whisper": (_whisper, lambda: hf.WhisperFeatureExtractor(chunk_length=2)),
}


def save(kind: str, folder: Path) -> Path:
    """The checkpoint of a kind, with its tokenizer or what prepares its input."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind in SOUNDS:
        network, processor = SOUNDS[kind]
        network().save_pretrained(folder)
        processor().save_pretrained(folder)
        return folder
    make, tokenizer, published = TEXTS[kind]
    words = tokenizer()
    make(len(words)).save_pretrained(folder)
    words.save_pretrained(folder)
    about = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**about, "tokenizer_class": published}))
    return folder


# ---- what is made of them ---------------------------------------------------------------------------------


def card_of(folder: Path) -> ModelCard:
    card = LocalSource().resolve(str(folder))
    assert card is not None and card.pretrained and card.offline and card.lr
    return card


def job(card: ModelCard, output: Output = LABEL, **recipe: Any) -> Job:
    plain = {"augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "lr": 2e-3, "epochs": 6}
    problem = Problem(name="any", inputs=(card.modality,), outputs=(output,))
    assert not TorchBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)


# ---- what they are fed ------------------------------------------------------------------------------------


def texts(*samples: tuple[str, ...]) -> Array:
    found = np.empty(len(samples), object)
    found[:] = samples
    return found


def text_feed() -> ArrayFeed:
    samples = [(f"{GOOD if n % 2 else BAD} number {n}" + f" {n}" * (n % 4),) for n in range(16)]
    return ArrayFeed({"text": texts(*samples), "label": np.arange(16) % 2})


def sound_feed() -> ArrayFeed:
    """Three pitches, each a class, with noise: every recording has two or three of them, one after the other."""
    feed = toys.speech(0.1, ragged=True)
    return ArrayFeed({**feed.arrays, "label": np.arange(len(feed)) % 2})
