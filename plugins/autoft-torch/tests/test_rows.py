"""Networks for texts and recordings: what they are fed, how they learn, and that a saved one predicts the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autoft.api import Job, Output, Problem, Recipe
from autoft.testing import reference
from autoft.testing.toys import ArrayFeed
from autoft.texthash import terms, weighed
from autoft_torch import _sounds, catalogue
from autoft_torch._ctc import Trunk as Speech
from autoft_torch._hashing import Trunk as Words
from autoft_torch._learner import TorchLearner
from autoft_torch._losses import evaluate
from autoft_torch.backend import TorchBackend

Array = np.ndarray[Any, np.dtype[Any]]
GOOD, BAD = "a fine and lovely day", "an awful dull night"


def texts(*values: str) -> Array:
    found = np.empty(len(values), object)
    for row, value in enumerate(values):
        found[row] = (value,)
    return found


def job(name: str, output: Output, field: str, **recipe: Any) -> Job:
    card = catalogue.find(name)
    assert card is not None
    plain = {"model": name, "augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "patience": 0}
    problem = Problem(name="any", inputs=(field,), outputs=(output,))
    assert not TorchBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)


LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
SAID = Output(name="transcript", head="sequence", size=4, loss="ctc", post="softmax", target="transcript")


def text_feed() -> ArrayFeed:
    words = [f"{GOOD if n % 2 else BAD} number {n}" for n in range(16)]
    return ArrayFeed({"text": texts(*words), "label": np.arange(16) % 2})


@pytest.mark.parametrize("augment", ["none", "strong"])
def test_hashed_texts_are_learned_saved_and_predicted_alike(tmp_path: Path, augment: str) -> None:
    wanted = job("autoft/text-hash", LABEL, "text", lr=1e-2, epochs=8, augment=augment)
    learner, feed = TorchBackend().build(wanted), text_feed()
    for epoch in range(1, 9):
        stats = learner.train_epoch(feed, epoch, lambda: False)
    assert stats.complete and stats.loss < 0.3
    found = learner.predict(feed)["label"]
    assert (found.argmax(1) == feed.arrays["label"]).all()
    learner.save(tmp_path)
    again = TorchBackend().load(wanted, tmp_path).predict(ArrayFeed({"text": feed.arrays["text"][::-1]}))["label"]
    assert np.abs(again[::-1] - found).max() < 1e-6, "neither neighbours nor padding matter"


def test_the_same_seed_gives_the_same_first_epoch() -> None:
    wanted = job("autoft/text-hash", LABEL, "text", augment="strong")
    losses = {TorchBackend().build(wanted).train_epoch(text_feed(), 1, lambda: False).loss for _ in range(2)}
    assert len(losses) == 1


def test_each_number_counts_as_core_says() -> None:
    trunk, rng = Words(64, 4), np.random.default_rng(0)
    trunk.rare.copy_(torch.from_numpy(rng.uniform(1, 3, 128).astype(np.float32)))
    trunk.eval()
    several = texts("walking home, walking", "很好", "", "a longer text than the others are")
    features = trunk(trunk.values({"text": several}, cropped=True)).detach().numpy()
    for (words,), found in zip(several, features, strict=True):
        numbers = terms([words], 64)
        wanted = weighed(numbers, trunk.rare.numpy(), 64) @ trunk.table.weight.detach().numpy()[numbers]
        assert np.allclose(found, wanted, atol=1e-6)


def test_the_first_epoch_solves_what_words_say_and_later_ones_go_on(tmp_path: Path) -> None:
    wanted, feed = job("autoft/text-hash", LABEL, "text", lr=1e-3, epochs=3), text_feed()
    learner = TorchBackend().build(wanted)
    stats = learner.train_epoch(feed, 1, lambda: False)
    first = learner.predict(feed)["label"]
    assert stats.steps == 1 and (first.argmax(1) == feed.arrays["label"]).all()
    assert stats.loss == pytest.approx(-np.log(first[np.arange(16), feed.arrays["label"]]).mean(), abs=1e-4)
    assert learner.train_epoch(feed, 2, lambda: False).steps == 4
    learner.save(tmp_path)
    other = TorchBackend().build(wanted)
    other.inherit(tmp_path)
    assert other.train_epoch(feed, 1, lambda: False).steps == 4, "what was learned is not thrown away"


def test_a_head_with_a_hidden_layer_is_trained_from_the_start() -> None:
    wanted = job("autoft/text-hash", LABEL, "text", head_width=8)
    learner = TorchBackend().build(wanted)
    assert learner.train_epoch(text_feed(), 1, lambda: False).steps == 4
    assert float(learner.net.trunk.rare.max()) > 1


def test_texts_can_be_cut() -> None:
    trunk = Words(64, 4)
    trunk.follow(Recipe.of({"text_length": 2, "truncation": "start"}))
    both = trunk.values({"text": texts("one two three four", "three four")}, cropped=True)
    assert torch.equal(both[0], both[1])


def speech_feed() -> ArrayFeed:
    """Three pitches, each a class: every recording has some of them, one after the other."""
    rng, length = np.random.default_rng(0), 16000
    audio, said, ends = np.zeros((8, length), np.int16), np.full((8, 3), -1), np.zeros(8, np.int64)
    for row in range(8):
        classes = rng.permutation(3)[: 2 + row % 2] + 1
        said[row, : len(classes)] = classes
        for place, kind in enumerate(classes):
            wave = np.sin(2 * np.pi * 400 * kind**1.5 * np.arange(4000) / 16000)
            audio[row, place * 5000 : place * 5000 + 4000] = 9000 * wave
        ends[row] = 5000 * len(classes)
    return ArrayFeed({"audio": audio, "length": ends, "transcript": said})


def test_speech_is_learned_saved_and_predicted_alike(tmp_path: Path) -> None:
    wanted = job("autoft/ctc-s", SAID, "audio", lr=4e-3, epochs=40, clip=5.0)
    learner, feed = TorchBackend().build(wanted), speech_feed()
    first = learner.train_epoch(feed, 1, lambda: False).loss
    for epoch in range(2, 41):
        loss = learner.train_epoch(feed, epoch, lambda: False).loss
    assert loss < 0.5 * first
    found = learner.predict(feed)["transcript"]
    assert found.shape[0] == 8 and found.shape[2] == 4 and np.allclose(found.sum(2), 1, atol=1e-4)
    behind = found[0, -(-10000 // 160 // 4) + 1 :]
    assert (behind[:, 0] > 0.999).all(), "what stands behind the end of a recording says nothing"
    learner.save(tmp_path)
    assert np.array_equal(TorchBackend().load(wanted, tmp_path).predict(feed)["transcript"], found)


def test_padding_does_not_change_what_is_heard() -> None:
    torch.manual_seed(0)
    trunk, feed = Speech(16, 16).eval(), speech_feed()
    short = {key: feed.arrays[key][:1] for key in ("audio", "length")}
    with torch.no_grad():
        cropped, whole = (trunk(trunk.values(short, cropped=cut)) for cut in (True, False))
    count = cropped.shape[1] - 1
    assert torch.allclose(cropped[:, : count - 1], whole[:, : count - 1], atol=1e-4)


def test_ctc_means_what_the_vocabulary_says() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(5, 7, 4))
    targets = np.array([[1, 2, 3], [1, 1, -1], [3, -1, -1], [-1, -1, -1], [2, 2, 2]])
    assert np.isclose(evaluate(SAID, raw, targets), reference.loss(SAID, raw, targets), atol=1e-5)
    impossible = np.array([[1, 1, 1, 1, 1]])
    assert evaluate(SAID, raw[:1], impossible) == reference.loss(SAID, raw[:1], impossible) == 0.0


@pytest.mark.parametrize("word", ["none", "light", "trivial", "strong"])
def test_pictures_of_sound_are_moved_and_covered(word: str) -> None:
    pictures = torch.full((6, 3, 32, 32), 200, dtype=torch.uint8)
    changed = _sounds.policy(word, 32)(pictures, torch.Generator().manual_seed(0)).float()
    alone = _sounds.fixed(word, 32)
    assert changed.shape == pictures.shape and changed.min() >= 0 and changed.max() <= 255
    assert torch.equal(alone(pictures, list(range(6)))[2:3].float(), alone(pictures[2:3], [2]).float())
    assert (changed == 0).any() if word != "none" else (changed == 200).all()


def test_networks_for_recordings_are_refused_for_images() -> None:
    card = catalogue.find("autoft/ctc-s")
    assert card is not None
    problem = Problem(name="any", inputs=("image",), outputs=(LABEL,))
    assert "audio" in TorchBackend().supports(problem, card)


def test_a_text_network_has_no_cuts() -> None:
    learner = TorchBackend().build(job("autoft/text-hash", LABEL, "text"))
    assert isinstance(learner, TorchLearner) and learner.cuts() == ()
