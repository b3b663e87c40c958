"""Encoders of KerasHub for texts, from folders that the test saves: tokens, learning, keeping, refusing."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from autoft.api import Cut, Job, ModelCard, Output, Problem, Recipe, TrialFailed, UsageError, View
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION
from autoft_keras._learner import KerasLearner
from autoft_keras.backend import KerasBackend
from autoft_keras.local import LocalSource

keras_hub = pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
pytest.importorskip("tensorflow_text", reason="KerasHub's tokenizers need tensorflow-text")

from autoft_keras._kerashub_text import TokenReader  # noqa: E402  it imports KerasHub
from autoft_keras._tokens import Tokens  # noqa: E402

GOOD, BAD = "a fine and lovely day", "an awful dull night"
WORDS = [*dict.fromkeys(f"{GOOD} {BAD}".split()), *"0123456789"]
LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
SIZE = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 24}


def pieces(kind: Any) -> Any:
    return kind(vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


def pairs_of_bytes(kind: Any) -> Any:
    signs = sorted({*"".join(WORDS), "Ġ"})
    names = ["<s>", "<pad>", "</s>", "<unk>", *signs, "an", "<mask>"]
    return kind(vocabulary={name: number for number, name in enumerate(names)}, merges=["a n"])


def sentences(kind: Any) -> Any:
    trainer = pytest.importorskip("sentencepiece").SentencePieceTrainer
    model = io.BytesIO()
    trainer.train(
        sentence_iterator=iter([GOOD, BAD, "0123456789"]), model_writer=model, vocab_size=40, hard_vocab_limit=False
    )
    return kind(proto=model.getvalue())


KINDS = {"Bert": pieces, "DistilBert": pieces, "Roberta": pairs_of_bytes, "XLMRoberta": sentences}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A preset of each kind, with random weights."""
    found = {}
    for kind, make in KINDS.items():
        folder = tmp_path_factory.mktemp(kind)
        tokenizer = make(getattr(keras_hub.models, f"{kind}Tokenizer"))
        backbone = getattr(keras_hub.models, f"{kind}Backbone")(vocabulary_size=tokenizer.vocabulary_size(), **SIZE)
        backbone.save_to_preset(str(folder))
        tokenizer.save_to_preset(str(folder))
        found[kind] = folder
    return found


def texts(*values: str | tuple[str, ...]) -> Any:
    found = np.empty(len(values), object)
    for row, value in enumerate(values):
        found[row] = (value,) if isinstance(value, str) else value
    return found


def feed() -> ArrayFeed:
    said = [f"{GOOD if n % 2 else BAD} {n}" for n in range(16)]
    return ArrayFeed({"text": texts(*said), "label": np.arange(16) % 2})


def card_of(folder: Path) -> ModelCard:
    card = LocalSource().resolve(str(folder))
    assert card is not None and card.modality == "text" and card.offline and 0 < card.lr < 1e-3
    return card


def job(card: ModelCard, **recipe: Any) -> Job:
    plain = {"augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "dropout": 0.0}
    problem = Problem(name="any", inputs=("text",), outputs=(LABEL,))
    assert not KerasBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_learns_is_saved_and_predicts_alike(folders: dict[str, Path], tmp_path: Path, kind: str) -> None:
    wanted = job(card_of(folders[kind]), lr=2e-3, epochs=8, augment="light", pooling="mean")
    learner = KerasBackend().build(wanted)
    assert len(learner.blocks()) == 3
    before = learner.arrays()
    for epoch in range(1, 9):
        learner.train_epoch(feed(), epoch, lambda: False)
    after = learner.arrays()
    for block in before:
        assert any(not np.array_equal(before[block][key], after[block][key]) for key in before[block]), block
    found = learner.predict(feed())["label"]
    assert (found.argmax(1) == feed().arrays["label"]).all()
    learner.save(tmp_path / "model")
    moved = msgspec.structs.replace(wanted.card, weights="", folder="")
    again = KerasBackend().load(msgspec.structs.replace(wanted, card=moved), tmp_path / "model")
    assert np.abs(again.predict(feed())["label"] - found).max() < 1e-5
    alone = again.predict(ArrayFeed({"text": feed().arrays["text"][1:2]}))["label"]
    assert np.abs(alone - found[1:2]).max() < 1e-5, "neither neighbours nor padding matter"
    further = KerasBackend().build(job(card_of(tmp_path / "model")))
    for block in list(after)[:-1]:
        assert all(np.array_equal(after[block][key], value) for key, value in further.arrays()[block].items())


@pytest.mark.parametrize("kind", KINDS)
def test_another_machine_needs_the_weights_and_the_files_that_the_card_names(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    """Also of a model that was saved before."""
    KerasBackend().build(job(card_of(folders[kind]))).save(tmp_path / "own")
    for number, source in enumerate((folders[kind], tmp_path / "own")):
        card, files = card_of(source), tmp_path / f"files{number}"
        for name in card.files:
            if (Path(card.folder) / name).is_file():
                (files / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(card.folder) / name, files / name)
        there = msgspec.structs.replace(card, folder=str(files))
        found = KerasBackend().build(job(there)).predict(feed())["label"]
        assert np.array_equal(found, KerasBackend().build(job(card)).predict(feed())["label"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", ["auto", "mean", "last"])
def test_a_head_learns_the_same_from_features_that_are_kept(folders: dict[str, Path], kind: str, pooling: str) -> None:
    wanted = job(card_of(folders[kind]), freeze=1.0, lr=1e-2, pooling=pooling)
    plain, cached = (cast("KerasLearner", KerasBackend().build(wanted)) for _ in range(2))
    (cut,) = cached.cuts()
    assert (cut.depth, cut.shape) == (3, (16,))
    rows = np.concatenate([arrays[0] for arrays in cached.extract(feed(), (cut,), View())])
    assert rows.shape == (16, 16) and rows.dtype == np.float32
    kept = ArrayFeed({ACTIVATION: rows, "label": feed().arrays["label"]})
    cached.enter(cut)
    for epoch in (1, 2):
        losses = [one.train_epoch(some, epoch, lambda: False).loss for one, some in ((plain, feed()), (cached, kept))]
        assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    np.testing.assert_allclose(cached.predict(kept)["label"], plain.predict(feed())["label"], atol=1e-5)
    cached.enter(None)
    np.testing.assert_allclose(cached.predict(feed())["label"], plain.predict(feed())["label"], atol=1e-5)


def test_views_of_texts_are_drawn_sample_by_sample_and_only_frozen_features_are_entered(folders: Any) -> None:
    learner = cast("KerasLearner", KerasBackend().build(job(card_of(folders["Bert"]), augment="strong", freeze=0.67)))
    (cut,) = learner.cuts()
    seen = [
        np.concatenate([arrays[0] for arrays in learner.extract(feed(), (cut,), View(augment="strong", number=number))])
        for number in (0, 1, 1, 2)
    ]
    assert np.array_equal(seen[1], seen[2])
    assert min(np.abs(seen[a] - seen[b]).max() for a, b in ((0, 1), (1, 3), (0, 3))) > 1e-3
    with pytest.raises(ValueError, match="what stands before a cut must be frozen"):
        learner.enter(cut)
    with pytest.raises(ValueError, match="a cut must be the network's"):
        learner.enter(Cut(depth=1, shape=(4,)))


def test_weights_are_those_of_the_preset(folders: dict[str, Path]) -> None:
    backbone = keras_hub.models.BertBackbone.from_preset(str(folders["Bert"]))
    card = card_of(folders["Bert"])
    learner: Any = KerasBackend().build(job(card))
    reader = TokenReader(job(card), folders["Bert"])
    values = reader.values({"text": texts((GOOD, BAD), "a day")}, cropped=True)
    found = learner.net.trunk(tf.constant(values)).numpy()
    given = dict(zip(("token_ids", "padding_mask", "segment_ids"), np.moveaxis(values, 1, 0), strict=True))
    wanted = backbone(given)["sequence_output"].numpy()
    assert np.allclose(found[values[:, 1] == 1], wanted[values[:, 1] == 1], atol=1e-5)
    assert np.isnan(found[values[:, 1] == 0]).all() and (values[:, 1] == 0).any()
    fresh = LocalSource().resolve(f"{folders['Bert']}@scratch")
    assert fresh is not None and not fresh.pretrained
    other: Any = KerasBackend().build(job(fresh))
    assert not np.allclose(other.net.trunk(tf.constant(values)).numpy()[0, 0], found[0, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_put_together_as_kerashub_does(folders: dict[str, Path], kind: str) -> None:
    vocabulary = json.loads((folders[kind] / "config.json").read_text())["config"]["vocabulary_size"]
    tokens = Tokens.of(folders[kind], vocabulary)
    maker = getattr(keras_hub.models, f"{kind}TextClassifierPreprocessor")
    made = maker(tokens.tokenizer, sequence_length=64)((([GOOD, "a day"], [BAD, ""]), [0, 1]))
    wanted = made[0]
    for number, row in enumerate(tokens.rows([(GOOD, BAD), ("a day", "")], 0, 64, "end")):
        seen = np.asarray(wanted["padding_mask"])[number].astype(bool)
        assert row.ids == np.asarray(wanted["token_ids"])[number][seen].tolist()
        if "segment_ids" in wanted:
            assert row.kinds == np.asarray(wanted["segment_ids"])[number][seen].tolist()


def test_long_texts_are_cut_to_what_the_network_takes(folders: dict[str, Path]) -> None:
    card = card_of(folders["Bert"])
    whole = TokenReader(job(card), folders["Bert"])
    long = {"text": texts(f"{GOOD} {BAD} " * 9, (f"{GOOD} " * 9, "a day"))}
    found = whole.values(long, cropped=True)
    assert found.shape == (2, 3, 24) and found[:, 1].all()
    ids = np.asarray(whole.tokens.tokenizer("a day")).tolist()
    assert found[1, 0, -3:].tolist() == [*ids, whole.tokens.end], "the longer one of two gives way"
    short = TokenReader(job(card, text_length=2, truncation="middle"), folders["Bert"])
    row = short.values({"text": texts("fine a a a a lovely")}, cropped=True)[0, 0].tolist()
    words = np.asarray(whole.tokens.tokenizer("fine lovely")).tolist()
    assert row == [whole.tokens.start, *words, whole.tokens.end]


def test_augmentation_hides_words_and_leaves_what_is_around_them(folders: dict[str, Path]) -> None:
    reader = TokenReader(job(card_of(folders["Bert"]), augment="strong"), folders["Bert"])
    values = reader.values({"text": texts(*[f"{GOOD} {BAD}"] * 40, "a")}, cropped=True)
    found = reader.changed(tf.constant(values), tf.constant([1, 2])).numpy()
    hidden = found[:, 0] == reader.tokens.mask
    assert 0.08 < hidden[:40, 1:-1].mean() < 0.22 and np.array_equal(found[:, 1:], values[:, 1:])
    assert np.array_equal(found[:, 0][~hidden], values[:, 0][~hidden])
    assert not hidden[:, 0].any() and not hidden[values[:, 1] == 0].any()


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
def test_what_pads_is_not_pooled(folders: dict[str, Path], pooling: str) -> None:
    learner = KerasBackend().build(job(card_of(folders["DistilBert"]), pooling=pooling))
    beside, alone = (
        learner.predict(ArrayFeed({"text": texts(*rows)}))["label"] for rows in (("a day", GOOD), ("a day",))
    )
    assert np.abs(beside[:1] - alone).max() < 1e-5 and np.isfinite(beside).all()


def test_code_and_missing_tokenizers_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    for kind, words in (("Lambda", "a layer Lambda"), ("system", r"names os\.system")):
        folder = tmp_path / kind
        folder.mkdir()
        module = "keras.layers" if kind == "Lambda" else "os"
        bad = {"module": module, "class_name": kind, "config": {}, "registered_name": None}
        (folder / "tokenizer.json").write_text(json.dumps(bad))
        with pytest.raises(TrialFailed, match=words):
            Tokens.of(folder, 100)
    with pytest.raises(TrialFailed, match="do not belong together"):
        Tokens.of(folders["Bert"], 5)
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.weights.h5"):
        (bare / name).write_bytes((folders["Bert"] / name).read_bytes())
    with pytest.raises(UsageError, match=r"no tokenizer\.json"):
        LocalSource().resolve(str(bare))
    config = json.loads((bare / "config.json").read_text())
    for kind, words in (
        ("GPT2", "must be one of Bert, .* but .* is a GPT2"),
        ("DebertaV3", "cannot do that with DeBERTa"),
    ):
        config |= {"class_name": f"{kind}Backbone", "registered_name": f"keras_hub>{kind}Backbone"}
        (bare / "config.json").write_text(json.dumps(config))
        with pytest.raises(UsageError, match=words):
            LocalSource().resolve(str(bare))
