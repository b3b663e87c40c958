"""Networks for texts and recordings: what they are fed, how they learn, and that a saved one predicts the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf

from autoft import texthash, textstart
from autoft.api import Job, Output, Problem, Recipe, shuffled, terms, word_start
from autoft.testing import reference
from autoft.testing.backend_losses import check_ctc
from autoft.testing.toys import ArrayFeed
from autoft.testing.toys import speech as speech_toys
from autoft.texthash import weighed
from autoft_keras import _ctc, _ctcconv, _hashing, _trunks, _waves, catalogue
from autoft_keras._augment import Draws
from autoft_keras._learner import KerasLearner
from autoft_keras._losses import evaluate, loss
from autoft_keras._net import MIDWAY
from autoft_keras.backend import KerasBackend
from autoft_keras.local import LocalSource

Array = np.ndarray[Any, np.dtype[Any]]
GOOD, BAD = "a fine and lovely day", "an awful dull night"
LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
VALUE = Output(name="value", head="pooled", size=1, loss="mse", post="identity", target="value")
SAID = Output(name="transcript", head="sequence", size=4, loss="ctc", post="softmax", target="transcript")
#: Networks for speech, and sizes that tests have time for.
SPEECH = {
    "autoft/ctc-s": {"channels": 32, "hidden": 24},
    "autoft/ctc-conv": {"channels": 32, "kernel": 5, "depth": 2},
}


def texts(*values: str | tuple[str, ...]) -> Array:
    found = np.empty(len(values), object)
    for row, value in enumerate(values):
        found[row] = (value,) if isinstance(value, str) else value
    return found


def job(name: str, output: Output, field: str, small: dict[str, int], **recipe: Any) -> Job:
    """With a card as listed, but for the size of its arrays."""
    card = catalogue.find(name)
    assert card is not None
    card = msgspec.structs.replace(card, extra={**card.extra, **small})
    plain = {"model": name, "augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "patience": 0}
    problem = Problem(name="any", inputs=(field,), outputs=(output,))
    assert not KerasBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)


def words(output: Output = LABEL, **recipe: Any) -> Job:
    return job("autoft/text-hash", output, "text", {"buckets": 4096, "width": 16}, **recipe)


def speech(name: str = "autoft/ctc-s", **recipe: Any) -> Job:
    return job(name, SAID, "audio", SPEECH[name], **recipe)


def text_feed() -> ArrayFeed:
    said = [f"{GOOD if n % 2 else BAD} number {n}" for n in range(16)]
    signs = np.arange(16) % 2
    return ArrayFeed({"text": texts(*said), "label": signs, "value": (2 * signs[:, None] - 1).astype(np.float32)})


def trained(wanted: Job, feed: ArrayFeed, epochs: int) -> tuple[KerasLearner, list[float]]:
    learner = KerasBackend().build(wanted)
    assert isinstance(learner, KerasLearner)
    return learner, [learner.train_epoch(feed, epoch, lambda: False).loss for epoch in range(1, epochs + 1)]


@pytest.mark.parametrize("augment", ["none", "strong"])
def test_hashed_texts_are_learned_saved_and_predicted_alike(tmp_path: Path, augment: str) -> None:
    wanted, feed = words(lr=1e-2, epochs=8, augment=augment), text_feed()
    learner, losses = trained(wanted, feed, 8)
    assert losses[-1] < 0.3
    found = learner.predict(feed)["label"]
    assert (found.argmax(1) == feed.arrays["label"]).all()
    learner.save(tmp_path)
    again = KerasBackend().load(wanted, tmp_path).predict(ArrayFeed({"text": feed.arrays["text"][::-1]}))["label"]
    assert np.abs(again[::-1] - found).max() < 1e-6, "neither neighbours nor padding matter"
    alone = learner.predict(ArrayFeed({"text": feed.arrays["text"][:1]}))["label"]
    assert np.abs(alone - found[:1]).max() < 1e-6


def test_numbers_are_learned_from_texts() -> None:
    learner, losses = trained(words(VALUE, lr=1e-2, epochs=8), text_feed(), 8)
    found = learner.predict(text_feed())["value"]
    assert losses[-1] < 0.01 and np.abs(found - text_feed().arrays["value"]).mean() < 0.1


def test_the_texts_of_a_pair_are_told_apart() -> None:
    """Which of the two comes first is all that tells the classes."""
    pairs = [(GOOD, BAD) if n % 2 else (BAD, GOOD) for n in range(16)]
    feed = ArrayFeed({"text": texts(*pairs), "label": np.arange(16) % 2})
    learner, _ = trained(words(lr=1e-2, epochs=8), feed, 8)
    assert (learner.predict(feed)["label"].argmax(1) == feed.arrays["label"]).all()


def test_the_same_seed_gives_the_same_first_epoch() -> None:
    losses = {trained(words(augment="strong"), text_feed(), 1)[1][0] for _ in range(2)}
    assert len(losses) == 1


def test_texts_can_be_cut_and_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = _hashing.WordReader(words(text_length=2, truncation="start"))
    asked = texts("one two three four", "three four", "")
    both = reader.values({"text": asked}, cropped=True)
    assert np.array_equal(both[0], both[1]) and not both[2].any()
    monkeypatch.setattr(texthash, "terms", None)
    assert np.array_equal(reader.values({"text": asked}, cropped=True), both), "no text is hashed twice"


def test_the_first_epoch_of_texts_is_the_linear_solution_and_steps_go_on_from_it() -> None:
    learner, feed = KerasBackend().build(words(lr=1e-3)), text_feed()
    assert isinstance(learner, KerasLearner)
    begun = learner.train_epoch(feed, 1, lambda: False)
    rows = [terms(said, 4096) for said in feed.arrays["text"]]
    found = word_start(rows, feed.arrays, learner.job.problem, 4096, 16, lambda: False)
    assert (begun.steps, begun.complete, begun.loss) == (1, True, found.loss)
    assert found.table is not None and found.head is not None
    sums = np.stack([weighed(row, found.rare, 4096) @ found.table[row] for row in rows])
    raw = sums @ found.head[0][:, : sums.shape[1]].T + found.head[1]
    assert np.allclose(learner.predict(feed)["label"], reference.post("softmax", raw), atol=1e-5)
    (block,) = learner.blocks()
    rare = next(value for name, value in learner.arrays()[block].items() if "rare" in name)
    further = learner.train_epoch(feed, 2, lambda: False)
    assert further.steps == 4 and further.loss < begun.loss
    after = next(value for name, value in learner.arrays()[block].items() if "rare" in name)
    assert np.array_equal(rare[:, 0], found.rare) and np.array_equal(rare, after), "counted, not trained"


def test_of_too_many_words_nothing_is_solved_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textstart, "MOST_TERMS", 20)
    monkeypatch.setattr(textstart, "_remembered", {})
    stats = KerasBackend().build(words()).train_epoch(text_feed(), 1, lambda: False)
    assert stats.steps == 4 and "without the linear solution: there is memory for 1 of 16 texts" in stats.said


def test_a_text_network_with_a_hidden_layer_counts_words_and_takes_steps_at_once() -> None:
    learner, feed = KerasBackend().build(words(head_width=8)), text_feed()
    assert isinstance(learner, KerasLearner)
    assert learner.train_epoch(feed, 1, lambda: False).steps == 4
    (block,) = learner.blocks()
    rare = next(value for name, value in learner.arrays()[block].items() if "rare" in name)
    assert rare.max() > 2


def test_left_out_words_still_count_for_the_length() -> None:
    reader = _hashing.WordReader(words(augment="strong"))
    values = tf.constant(reader.values({"text": texts(GOOD * 20)}, cropped=True))
    gone = reader.changed(values, tf.constant([1, 2]))
    assert np.array_equal(np.abs(gone), values) and 0.4 < (gone.numpy() < 0).mean() < 0.6
    trunk = _trunks.empty(words().card, 0)
    trunk.set_weights([np.ones_like(array) for array in trunk.get_weights()])
    assert np.allclose(trunk(gone), trunk(values), rtol=1e-4), "what is left speaks for all"


def test_a_text_network_has_no_cuts_and_freezes() -> None:
    learner = KerasBackend().build(words(freeze=1.0))
    assert isinstance(learner, KerasLearner) and learner.cuts() == ()
    (block,) = learner.blocks()
    before = learner.arrays()[block]
    assert len(before) == 2
    learner.train_epoch(text_feed(), 1, lambda: False)
    assert all(np.array_equal(before[key], value) for key, value in learner.arrays()[block].items())


@pytest.mark.parametrize("name", SPEECH)
def test_speech_is_learned_saved_and_predicted_alike(tmp_path: Path, name: str) -> None:
    wanted, feed = speech(name, lr=1e-2, epochs=40, clip=5.0), speech_toys()
    learner, losses = trained(wanted, feed, 40)
    assert losses[-1] < 0.5 * losses[0]
    found = learner.predict(feed)["transcript"]
    assert found.shape[0] == 8 and found.shape[2] == 4 and np.allclose(found.sum(2), 1, atol=1e-4)
    behind = found[0, -(-10000 // 160 // 4) + 1 :]
    assert len(behind) and (behind[:, 0] > 0.999).all(), "what stands behind the end of a recording says nothing"
    learner.save(tmp_path)
    again = KerasBackend().load(wanted, tmp_path)
    assert np.abs(again.predict(feed)["transcript"] - found).max() < 1e-6
    none = {key: values[:0] for key, values in feed.arrays.items()}
    assert again.predict(ArrayFeed(none))["transcript"].shape == (0, 1, 4)


@pytest.mark.parametrize("name", SPEECH)
def test_speech_is_learned_with_masks_and_other_speeds(name: str) -> None:
    _, losses = trained(speech(name, lr=1e-2, epochs=3, augment="strong"), speech_toys(), 3)
    assert np.isfinite(losses).all() and losses[-1] < losses[0]


@pytest.mark.parametrize("name", SPEECH)
def test_padding_and_neighbours_do_not_change_what_is_heard(name: str) -> None:
    trunk, feed = _trunks.empty(speech(name).card, 0), speech_toys()
    audio, lengths = feed.arrays["audio"], feed.arrays["length"]
    whole = trunk(_waves.waves(audio, lengths, 1024, 512)).numpy()
    assert whole.shape[1] == -(-(1 + 16000 // 160) // 4)
    for row in range(3):
        cropped = trunk(_waves.waves(audio[row : row + 1], lengths[row : row + 1], 1024, 512)).numpy()[0]
        ends = -(-(int(lengths[row]) // 160) // 4)
        assert len(cropped) == -(-(1 + min(16000, -(-(int(lengths[row]) + 512) // 10240) * 10240) // 160) // 4)
        assert np.isfinite(whole[row, :ends]).all() and np.isnan(whole[row, ends:]).all()
        assert np.allclose(cropped[: ends - 1], whole[row, : ends - 1], atol=1e-4)


def test_recordings_differ_in_few_lengths_and_predictions_in_none() -> None:
    waves = [_waves.waves(np.zeros((2, 99000)), np.array([n, 99]), 1024, 512) for n in (9000, 9728, 9729, 98900)]
    assert [w.shape[1] for w in waves] == [10240, 10240, 20480, 99000]
    sped = _waves.sped(waves[0], 0.1, Draws(waves[0], np.array([1, 2], np.int32)))
    assert sped.shape[1] % 10240 == 0


@pytest.mark.parametrize("name", SPEECH)
def test_quiet_ends_say_nothing_and_do_not_count(name: str) -> None:
    trunk, rng = _trunks.empty(speech(name).card, 0), np.random.default_rng(0)
    audio = rng.normal(0, 3, (1, 48000))
    audio[:, 16000:32000] += 9000 * np.sin(np.arange(16000) / 8)
    found = trunk(_waves.waves(audio.astype(np.int16), np.array([48000]), 1024, 512)).numpy()[0]
    there = np.flatnonzero(np.isfinite(found[:, 0]))
    assert (there[0], there[-1]) == ((100 - 22) // 4, (200 + 21) // 4), "a fifth of a second is left"
    assert np.isfinite(found[there[0] : there[-1] + 1]).all()
    silent = trunk(_waves.waves(np.zeros((1, 8000)), np.array([8000]), 1024, 512)).numpy()
    assert np.isfinite(silent).any()


def test_convolutions_hear_a_stretch_of_sound_alone() -> None:
    trunk = _trunks.empty(speech("autoft/ctc-conv").card, 0)
    back = keras.Model(trunk.get_layer(MIDWAY).output, trunk.outputs[0])
    frames = np.random.default_rng(0).normal(size=(1, 64, 64)).astype(np.float32)
    other = frames.copy()
    other[:, 40:] = 0.0
    reach = 3 * 2 + 4 * 2 * 2
    same = np.abs(back(frames) - back(other)).max(-1)[0]
    assert (same[: (40 - reach) // 4] == 0).all() and same[9:].min() > 0
    still = back(np.repeat(frames[:, :1], 64, 1)).numpy()[0]
    assert np.allclose(still, still[:1], atol=1e-5), "the first frame is like any other"


def test_depth_of_freezing_counts_the_convolutions() -> None:
    learner = KerasBackend().build(speech("autoft/ctc-conv", freeze=0.5))
    assert list(learner.blocks()) == ["block_0", "block_1", "block_2", "block_3"]
    before = learner.arrays()
    learner.train_epoch(speech_toys(), 1, lambda: False)
    after = learner.arrays()
    changed = [any(not np.array_equal(v, before[name][k]) for k, v in a.items()) for name, a in after.items()]
    assert changed == [False, False, True, True, True]


def test_recordings_become_faster_and_slower() -> None:
    wave = np.full((2, 4000), np.nan, np.float32)
    wave[0], wave[1, :2000] = np.sin(np.arange(4000) / 50), 0.5
    counts = set()
    for seed in range(6):
        found = _waves.sped(tf.constant(wave), 0.1, Draws(wave, tf.constant([seed, 0]))).numpy()
        ends = np.isfinite(found).sum(1)
        counts.add(int(ends[0]))
        assert 3600 <= ends[0] <= 4400 and abs(ends[1] - ends[0] / 2) <= 1
        assert np.allclose(found[1, : ends[1] - 1], 0.5)
        assert np.allclose(found[0, : ends[0]], np.sin(np.arange(ends[0]) / 50 * 4000 / ends[0]), atol=0.02)
    assert len(counts) > 3


def test_masks_cover_bands_and_times_before_the_end() -> None:
    seen = np.ones((3, 100, 64), np.float32)
    seen[1, 40:] = np.nan
    found = _waves.masked(tf.constant(seen), 2, 4, (12, 0.05), Draws(seen, tf.constant([1, 2]))).numpy()
    assert np.array_equal(np.isnan(found), np.isnan(seen))
    hidden = found == 0
    assert 0 < hidden[0].all(0).sum() <= 24 + 2 and 0 < hidden[0].all(1).sum() <= 20 + 4
    assert hidden[1, :40].any() and not np.array_equal(hidden[0], hidden[2])


def test_batches_of_training_are_of_about_one_length() -> None:
    rng, lengths = np.random.default_rng(0), np.random.default_rng(1).integers(1, 100, 64)
    padded = {}
    for kind, known in (("drawn", None), ("sorted", lengths)):
        batches = shuffled(rng.permutation(64), 4, lengths=known, rng=rng)
        assert sorted(np.concatenate(batches)) == list(range(64)) and len(batches) == 16
        padded[kind] = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert padded["sorted"] < 1.2 * lengths.sum() < padded["drawn"]
    learner, feed = KerasBackend().build(speech(next(iter(SPEECH)))), speech_toys()
    assert isinstance(learner, KerasLearner)
    heard = learner.inputs.heard(feed)
    assert heard is None or np.array_equal(heard, feed.arrays["length"])
    more = ArrayFeed({key: np.concatenate([value] * 2) for key, value in feed.arrays.items()})
    assert np.array_equal(learner.inputs.heard(more), more.arrays["length"])


def test_ctc_means_what_the_vocabulary_says() -> None:
    check_ctc(SAID, evaluate)


def test_what_no_frame_can_say_pulls_at_nothing() -> None:
    values = tf.Variable(np.random.default_rng(0).normal(size=(2, 7, 4)).astype(np.float32))
    with tf.GradientTape() as tape:
        found = loss(SAID, values, tf.constant([[1, 1, 1, 1, 1], [-1, -1, -1, -1, -1]]))
    slope = tape.gradient(found, values).numpy()
    assert not slope[0].any() and np.isfinite(slope).all() and slope[1].any()


def test_a_saved_network_needs_keras_alone(tmp_path: Path) -> None:
    """Samples or numbers of words go in; no class of autoft is in the file."""
    for wanted in (words(), *map(speech, SPEECH)):
        learner, place = KerasBackend().build(wanted), tmp_path / wanted.card.name.replace("/", "_")
        learner.save(place)
        model = keras.saving.load_model(place / "model.keras", compile=False)
        assert model.inputs[0].name == wanted.card.modality
        assert not [part for part in model.operations if type(part).__module__.startswith("autoft")]


def test_what_was_learned_goes_on_in_another_job(tmp_path: Path) -> None:
    learner, _ = trained(words(lr=1e-2), text_feed(), 1)
    learner.save(tmp_path)
    card = LocalSource().resolve(str(tmp_path))
    assert card is not None and card.modality == "text" and card.pretrained
    again = KerasBackend().build(msgspec.structs.replace(words(), card=card))
    (block,) = learner.blocks()
    assert isinstance(again, KerasLearner) and len(learner.arrays()[block]) == 2
    for key, value in learner.arrays()[block].items():
        assert np.array_equal(again.arrays()[block][key], value)
    assert again.train_epoch(text_feed(), 1, lambda: False).steps == 4, "the solution is not sought anew"


def test_networks_for_recordings_are_refused_for_images() -> None:
    card = catalogue.find("autoft/ctc-s")
    assert card is not None
    problem = Problem(name="any", inputs=("image",), outputs=(LABEL,))
    assert "audio" in KerasBackend().supports(problem, card)


def test_listed_networks_have_the_arrays_that_their_cards_tell() -> None:
    for name, module in (
        ("autoft/text-hash", _hashing),
        ("autoft/ctc-s", _ctc),
        ("autoft/ctc-conv", _ctcconv),
    ):
        card = catalogue.find(name)
        assert card is not None
        trunk = module.build(card, 0)
        assert sum(int(np.prod(variable.shape)) for variable in trunk.trainable_variables) == card.params
