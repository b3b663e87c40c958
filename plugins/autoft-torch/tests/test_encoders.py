"""Encoders of texts and recordings from folders of Transformers: what they see, how they learn, what is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from autoft.api import Job, ModelCard, Output, Problem, TrialFailed, UsageError
from autoft.testing.toys import ArrayFeed
from autoft_torch.backend import TorchBackend
from autoft_torch.folders import own_card
from autoft_torch.local import LocalSource

hf = pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
import checkpoints as ck  # noqa: E402
from checkpoints import LABEL, card_of, job  # noqa: E402

VALUE = Output(name="value", head="pooled", size=1, loss="mse", post="identity", target="value")
SAID = Output(name="transcript", head="sequence", size=4, loss="ctc", post="softmax", target="transcript")


def trunk_of(card: ModelCard, **recipe: Any) -> Any:
    return TorchBackend().build(job(card, **recipe)).net.trunk.eval()


def learns_and_is_kept(wanted: Job, feed: ArrayFeed, tmp_path: Path) -> None:
    """Trains; then the checkpoint is gone, and what was saved predicts the same, sample by sample."""
    learner, name = TorchBackend().build(wanted), wanted.problem.outputs[0].name
    before = learner.predict(feed)[name]
    losses = [learner.train_epoch(feed, epoch, lambda: False).loss for epoch in range(1, wanted.recipe.epochs + 1)]
    assert losses[-1] < losses[0] and np.isfinite(losses).all(), losses
    found = learner.predict(feed)[name]
    assert np.abs(found - before).max() > 1e-4
    learner.save(tmp_path / "saved")
    shutil.move(tmp_path / "saved", tmp_path / "elsewhere")
    alone = msgspec.structs.replace(wanted, card=msgspec.structs.replace(wanted.card, weights="", folder=""))
    again = TorchBackend().load(alone, tmp_path / "elsewhere")
    assert np.array_equal(again.predict(feed)[name], found)
    single = np.concatenate([again.predict(ArrayFeed(feed.batch(np.array([row]))))[name] for row in range(len(feed))])
    assert np.abs(single - found).max() < 1e-5, "neither neighbours nor padding matter"
    kept = own_card(tmp_path / "elsewhere" / "model.safetensors")
    assert kept is not None and not kept.weights and not kept.folder and not kept.files


# ---- texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ck.TEXTS)
def test_a_text_network_learns_and_is_kept(kind: str, folder: Any, tmp_path: Path) -> None:
    wanted = job(card_of(folder(kind)), augment="light", freeze=0.34)
    learns_and_is_kept(wanted, ck.text_feed(), tmp_path)
    assert TorchBackend().build(wanted).blocks() == ("embeddings", "layer 0", "layer 1")


@pytest.mark.parametrize("kind", ck.TEXTS)
def test_another_machine_needs_the_weights_and_the_files_that_the_card_names(
    kind: str, folder: Any, tmp_path: Path
) -> None:
    """Also of a model that was saved before."""
    place = Path(folder(kind))
    learner = TorchBackend().build(job(card_of(place)))
    learner.save(tmp_path / "own")
    for number, source in enumerate((place, tmp_path / "own")):
        card = card_of(source)
        for name in card.files:
            if (Path(card.folder) / name).is_file():
                (tmp_path / f"files{number}" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(card.folder) / name, tmp_path / f"files{number}" / name)
        (tmp_path / f"weights{number}").mkdir()
        weights = shutil.copy(card.weights, tmp_path / f"weights{number}")
        there = msgspec.structs.replace(card, weights=str(weights), folder=str(tmp_path / f"files{number}"))
        found = TorchBackend().build(job(there)).predict(ck.text_feed())
        assert np.array_equal(found["label"], TorchBackend().build(job(card)).predict(ck.text_feed())["label"])


@pytest.mark.parametrize("kind", ck.TEXTS)
def test_a_text_network_sees_what_transformers_would_show_it(kind: str, folder: Any) -> None:
    place = folder(kind)
    words, net = hf.AutoTokenizer.from_pretrained(place), hf.AutoModel.from_pretrained(place).eval()
    words.pad_token = words.pad_token or words.eos_token
    pairs = [(ck.GOOD, ck.BAD), (f"{ck.BAD}, {ck.BAD}", "day"), ("Déjà vu?", "")]
    for samples in ([(first,) for first, _ in pairs], pairs):
        options = {"truncation": True, "max_length": ck.PLACES, "padding": True, "return_tensors": "pt"}
        encoded = words(*(list(column) for column in zip(*samples, strict=True)), **options)
        with torch.no_grad():
            states = net(**encoded).last_hidden_state
            there = encoded["attention_mask"].bool()
            wanted = {
                "first": states[:, 0],
                "last": states[torch.arange(3), there.sum(1) - 1],
                "mean": torch.stack([state[seen].mean(0) for state, seen in zip(states, there, strict=True)]),
                "max": torch.stack([state[seen].amax(0) for state, seen in zip(states, there, strict=True)]),
            }
            for pooling, features in wanted.items():
                trunk = trunk_of(card_of(place), pooling=pooling)
                found = trunk(trunk.values({"text": ck.texts(*samples)}, cropped=True))
                assert torch.allclose(found, features, atol=1e-5), pooling


def test_pooling_follows_the_kind_of_network(folder: Any) -> None:
    assert trunk_of(card_of(folder("bert"))).pooling == "first"
    assert trunk_of(card_of(folder("gpt2"))).pooling == "last"
    assert trunk_of(card_of(folder("gpt2")), pooling="mean").pooling == "mean"


def test_sentence_transformers_say_how_they_pool(folder: Any, tmp_path: Path) -> None:
    place = shutil.copytree(folder("bert"), tmp_path / "sentences")
    (place / "1_Pooling").mkdir()
    (place / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    assert trunk_of(card_of(place)).pooling == "mean"


@pytest.mark.parametrize(("truncation", "words"), [("end", "one two"), ("start", "three four"), ("middle", "one four")])
def test_texts_are_cut_where_the_recipe_says(truncation: str, words: str, folder: Any) -> None:
    trunk = trunk_of(card_of(folder("modernbert")), text_length=2, truncation=truncation)
    known = {"one": "fine", "two": "lovely", "three": "awful", "four": "dull"}
    whole = ck.texts((" ".join(known.values()),), (" ".join(known[word] for word in words.split()),))
    both = trunk.values({"text": whole}, cropped=True)
    assert both.shape[2] == 4 and torch.equal(both[0], both[1])


def test_long_pairs_share_the_places_that_there_are(folder: Any) -> None:
    trunk = trunk_of(card_of(folder("bert")))
    long = " ".join([ck.GOOD] * 20)
    values = trunk.values({"text": ck.texts((long, "dull night"), ("dull", long), (long, long))}, cropped=True)
    assert values.shape[2] == ck.PLACES and (values[:, 0] > 0).all()
    assert values[:, 1].sum(1).tolist() == [3, ck.PLACES - 3, 15], "the second text, with the end behind it"


def test_hidden_tokens_are_never_those_at_the_ends(folder: Any) -> None:
    trunk = trunk_of(card_of(folder("bert")), augment="strong")
    values = trunk.values({"text": ck.texts(*[(ck.GOOD,)] * 50)}, cropped=True)
    changed = trunk.changed(values, torch.Generator().manual_seed(0))
    assert 0.05 < (changed[:, 0] < 0).float().mean() < 0.2 and torch.equal(changed.abs(), values)
    assert (changed[:, 0, [0, -1]] > 0).all()
    assert not torch.allclose(trunk(changed), trunk(values))


def test_numbers_are_learned_from_texts(folder: Any, tmp_path: Path) -> None:
    feed = ck.text_feed()
    feed.arrays["value"] = (feed.arrays["label"][:, None] * 2.0 - 1).astype(np.float32)
    wanted = job(card_of(folder("distilbert")), VALUE, pooling="mean", lr=5e-3)
    learns_and_is_kept(wanted, feed, tmp_path)


def test_a_vocabulary_file_alone_is_enough(folder: Any, tmp_path: Path) -> None:
    place = shutil.copytree(folder("bert"), tmp_path / "older")
    vocabulary = hf.AutoTokenizer.from_pretrained(place).get_vocab()
    (place / "tokenizer.json").unlink()
    (place / "tokenizer_config.json").unlink()
    (place / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)))
    feed = ck.text_feed()
    older, newer = (TorchBackend().build(job(card_of(where))).predict(feed) for where in (place, folder("bert")))
    assert np.allclose(older["label"], newer["label"], atol=1e-6)


def test_what_was_fine_tuned_is_taken_up_again(folder: Any, tmp_path: Path) -> None:
    first = TorchBackend().build(job(card_of(folder("bert"))))
    first.train_epoch(ck.text_feed(), 1, lambda: False)
    first.save(tmp_path / "best")
    card = LocalSource().resolve(str(tmp_path / "best"))
    assert card is not None and "fine-tuned by autoft" in card.summary
    samples = {"text": ck.text_feed().arrays["text"]}
    kept, trunk = first.net.trunk.eval(), trunk_of(card)
    with torch.no_grad():
        assert torch.equal(kept(kept.values(samples, cropped=True)), trunk(trunk.values(samples, cropped=True)))


def test_a_network_with_random_weights_has_its_tokenizer(folder: Any) -> None:
    card = LocalSource().resolve(f"{folder('bert')}@scratch")
    assert card is not None and card.pace == 1
    assert TorchBackend().build(job(card)).predict(ck.text_feed())["label"].shape == (16, 2)


def test_folders_that_do_not_fit_are_refused_in_words(folder: Any, tmp_path: Path) -> None:
    bare = shutil.copytree(folder("bert"), tmp_path / "bare")
    for path in bare.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(TrialFailed, match="needs its tokenizer, but"):
        TorchBackend().build(job(card_of(bare)))
    other = shutil.copytree(folder("bert"), tmp_path / "other")
    for path in folder("roberta").glob("tokenizer*"):
        shutil.copy(path, other)
    with pytest.raises(TrialFailed, match="do not belong together"):
        TorchBackend().build(job(card_of(other)))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "t5", "is_encoder_decoder": True}))
    with pytest.raises(UsageError, match="is a t5, which has both"):
        LocalSource().resolve(str(other))


# ---- recordings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ck.SOUNDS)
@pytest.mark.parametrize("output", [LABEL, SAID], ids=["classes", "speech"])
def test_an_audio_network_learns_and_is_kept(kind: str, output: Output, folder: Any, tmp_path: Path) -> None:
    card = card_of(folder(kind))
    if output.head not in card.heads:
        assert kind == "ast"
        assert "no sequence features" in TorchBackend().supports(
            Problem(name="any", inputs=("audio",), outputs=(output,)), card
        )
        return
    wanted = job(card, output, augment="light", freeze=0.25)
    learns_and_is_kept(wanted, ck.sound_feed(), tmp_path)


@pytest.mark.parametrize("kind", ck.SOUNDS)
def test_an_audio_network_hears_what_transformers_would_play_it(kind: str, folder: Any) -> None:
    """Each recording alone, without padding, is the reference."""
    place, feed = folder(kind), ck.sound_feed()
    prepare, net = hf.AutoFeatureExtractor.from_pretrained(place), hf.AutoModel.from_pretrained(place).eval()
    trunk = trunk_of(card_of(place))
    with torch.no_grad():
        found = trunk(trunk.values(feed.arrays, cropped=False))
        for row, end in enumerate(feed.arrays["length"]):
            wave = feed.arrays["audio"][row, :end].astype(np.float32) / 32768
            given = prepare(wave, sampling_rate=16000, return_tensors="pt")
            if kind == "ast":
                assert torch.allclose(found[row], net(**given).pooler_output[0], atol=1e-4)
                continue
            body = net.get_encoder() if kind == "whisper" else net
            states = body(given["input_features" if kind == "whisper" else "input_values"]).last_hidden_state[0]
            count = int(found[row].isfinite().all(1).sum())
            assert torch.allclose(found[row, :count], states[:count], atol=1e-4)
            assert count == (-(-end // 320) if kind == "whisper" else len(states))
            assert found[row, count:].isnan().all()


def test_the_convolutions_are_frozen_first(folder: Any) -> None:
    learner = TorchBackend().build(job(card_of(folder("wav2vec2")), freeze=0.25))
    assert learner.blocks() == ("convolutions", "embeddings", "layer 0", "layer 1")
    still = {name for name, one in learner.net.named_parameters() if not one.requires_grad}
    assert still and all(name.startswith("trunk.net.feature_extractor.") for name in still)


def test_very_short_recordings_give_one_frame(folder: Any) -> None:
    short = {"audio": np.ones((2, 16000), np.int16), "length": np.array([1, 100])}
    for kind in ("wav2vec2", "whisper"):
        trunk = trunk_of(card_of(folder(kind)))
        with torch.no_grad():
            found = trunk(trunk.values(short, cropped=True))
        assert found.isfinite().all(2).sum(1).tolist() == [1, 1]
    trunk = trunk_of(card_of(folder("ast")))
    with torch.no_grad():
        assert trunk(trunk.values(short, cropped=True)).isfinite().all()


def test_what_a_network_can_spell_is_taken_over(folder: Any, tmp_path: Path) -> None:
    place = shutil.copytree(folder("wav2vec2"), tmp_path / "spells")
    words = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "A": 5, "B": 6}
    (place / "vocab.json").write_text(json.dumps(words))
    letters = ("", " ", "b", "\ufffd")
    card = card_of(place)
    assert card.extra["letters"] == {"": 0, " ": 4, "a": 5, "b": 6}
    spelling = msgspec.structs.replace(SAID, letters=letters)
    learner, net = TorchBackend().build(job(card, spelling)), hf.Wav2Vec2ForCTC.from_pretrained(place).eval()
    feed = ArrayFeed(ck.sound_feed().batch(np.array([0])))
    wave = torch.from_numpy(feed.arrays["audio"][:, : feed.arrays["length"][0]].astype(np.float32) / 32768)
    with torch.no_grad():
        wanted = net((wave - wave.mean()) / (wave.var(correction=0) + 1e-7).sqrt()).logits
        trunk = learner.net.eval().trunk
        found = learner.net(trunk.values(feed.arrays, cropped=True))["transcript"]
    assert torch.allclose(found[..., :3], wanted[..., [0, 4, 6]], atol=1e-4)
    assert len(set(learner.optimizer.rates().values())) == 1, "a head that can spell is no faster than the blocks"
    begun = learner.train_epoch(feed, 1, lambda: False)
    assert begun.complete and begun.steps == 1 and begun.said.endswith("scored as it came")
    with torch.no_grad():
        same = learner.net.eval()(trunk.values(feed.arrays, cropped=True))["transcript"]
    assert torch.equal(same, found) and learner.steps == 0
    second = learner.train_epoch(feed, 2, lambda: False)
    assert second.steps == 1 and learner.steps == 1 and np.isclose(second.loss, begun.loss, atol=0.5)
    learner.save(tmp_path / "saved")
    again = TorchBackend().load(job(card, spelling), tmp_path / "saved")
    assert np.array_equal(again.predict(feed)["transcript"], learner.predict(feed)["transcript"])
    hidden = TorchBackend().build(job(card, spelling, head_width=8))
    assert hidden.predict(feed)["transcript"].shape == learner.predict(feed)["transcript"].shape


@pytest.mark.parametrize("augment", ["light", "trivial", "strong"])
def test_recordings_are_changed_in_speed_and_silenced_in_places(augment: str, folder: Any) -> None:
    trunk, feed = trunk_of(card_of(folder("hubert")), augment=augment), ck.sound_feed()
    values = trunk.values(feed.arrays, cropped=True)
    values = values.masked_fill(values == 0, 1e-3)
    changed = trunk.changed(values, torch.Generator().manual_seed(1))
    ends, before = changed.isfinite().sum(1), values.isfinite().sum(1)
    assert (ends != before).all() and ((ends / before - 1).abs() < 0.11).all()
    assert ((changed == 0).sum(1) > 0).all()


def test_another_sampling_rate_is_refused(folder: Any, tmp_path: Path) -> None:
    place = shutil.copytree(folder("wav2vec2"), tmp_path / "slow")
    about = json.loads((place / "preprocessor_config.json").read_text())
    (place / "preprocessor_config.json").write_text(json.dumps({**about, "sampling_rate": 8000}))
    with pytest.raises(UsageError, match=r"must take 16000 samples per second, but .* takes 8000"):
        LocalSource().resolve(str(place))


# ---- rates ------------------------------------------------------------------------------------------------


def test_new_heads_are_learned_faster_than_pretrained_blocks(folder: Any) -> None:
    card = card_of(folder("bert"))
    assert card.lr == 5e-5 and card.pace == 20
    learner = TorchBackend().build(job(card, lr=5e-5, layer_decay=0.5))
    learner.optimizer.set_rate(5e-5)
    rates: dict[str, set[str]] = {}
    for name, rate in learner.optimizer.rates().items():
        number = learner.net.block_of()[name]
        rates.setdefault("head" if name.startswith("heads") else learner.blocks()[number], set()).add(f"{rate:.3g}")
    assert rates == {"embeddings": {"1.25e-05"}, "layer 0": {"2.5e-05"}, "layer 1": {"5e-05"}, "head": {"0.001"}}


def test_networks_of_the_hub_bring_their_tokenizer(folder: Any, hub: Any, monkeypatch: Any) -> None:
    from autoft_torch.sources import HfSource

    hub.files["acme/words"] = {path.name: path.read_bytes() for path in folder("bert").iterdir()}
    source = HfSource()
    found = source.resolve("hf/acme/words")
    assert found is not None and found.modality == "text" and not found.offline
    fetched = source.fetch(found)
    monkeypatch.setenv("AUTOFT_OFFLINE", "1")
    asked = len(hub.asked)
    again = source.resolve("hf/acme/words")
    assert again is not None and again.offline and source.fetch(again) == fetched
    here, there = (TorchBackend().build(job(card)) for card in (card_of(folder("bert")), fetched))
    feed = ck.text_feed()
    assert np.array_equal(here.predict(feed)["label"], there.predict(feed)["label"])
    assert len(hub.asked) == asked, "a trial opens no connection"
